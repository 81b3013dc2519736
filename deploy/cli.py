"""`baoshen`: the command line."""

import typer

from deploy.commands import check, demo, imports, migrate, rules, specimens

app = typer.Typer(
    name="baoshen",
    help="Baoshen (报审): candidates hand in their papers, staff review them. 考生材料上传与两级审核。",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold personal data
    add_completion=False,
)

app.command()(demo.demo)
app.command()(check.check)
app.command()(specimens.specimens)
app.command()(migrate.migrate)

import_app = typer.Typer(help="Bring registrations and development accounts in.", no_args_is_help=True)
import_app.command("registrations")(imports.registrations)
import_app.command("accounts")(imports.accounts)
app.add_typer(import_app, name="import")

rules_app = typer.Typer(help="Rule packs: check and publish.", no_args_is_help=True)
rules_app.command("publish")(rules.publish)
app.add_typer(rules_app, name="rules")
