"""`baoshen`: the command line."""

import sys

import typer

from deploy.commands import (
    audit,
    bench,
    bench_images,
    bench_review,
    check,
    contracts,
    demo,
    dlq,
    images,
    imports,
    keys,
    lag,
    migrate,
    photo,
    photo_keys,
    photo_verify,
    rules,
    specimens,
    topics,
    up,
)

app = typer.Typer(
    name="baoshen",
    help="Baoshen (报审): candidates hand in their papers, staff review them. 考生材料上传与两级审核。",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold personal data
    add_completion=False,
)

app.command()(up.up)
app.command()(up.reset)
app.command()(demo.demo)
app.command()(check.check)
app.command()(specimens.specimens)
app.command()(migrate.migrate)
app.command()(topics.topics)
app.command()(lag.lag)

import_app = typer.Typer(help="Bring registrations and development accounts in.", no_args_is_help=True)
import_app.command("registrations")(imports.registrations)
import_app.command("accounts")(imports.accounts)
app.add_typer(import_app, name="import")

rules_app = typer.Typer(help="Rule packs: check, explain, publish. 规则包。", no_args_is_help=True)
rules_app.command("check")(rules.check)
rules_app.command("explain")(rules.explain)
rules_app.command("schema")(rules.schema)
rules_app.command("publish")(rules.publish)
app.add_typer(rules_app, name="rules")

dlq_app = typer.Typer(help="Dead letters: records that a service could not take. 死信。", no_args_is_help=True)
dlq_app.command("list")(dlq.list_)
dlq_app.command("show")(dlq.show)
dlq_app.command("replay")(dlq.replay)
dlq_app.command("discard")(dlq.discard)
app.add_typer(dlq_app, name="dlq")

audit_app = typer.Typer(help="The audit trail: what staff saw and did. 审计。", no_args_is_help=True)


@audit_app.callback()
def _audit() -> None:
    """Keeps `verify` a command of its own while it is the only one."""


audit_app.command("verify")(audit.verify)
app.add_typer(audit_app, name="audit")

keys_app = typer.Typer(help="The keys that seal personal data. 密钥。", no_args_is_help=True)


@keys_app.callback()
def _keys() -> None:
    """Keeps `rotate` a command of its own while it is the only one."""


keys_app.command("rotate")(keys.rotate)
app.add_typer(keys_app, name="keys")

photo_app = typer.Typer(help="The photo check: keys, and the receipts they sign. 照片检测。", no_args_is_help=True)
photo_app.command("check")(photo.check)
photo_app.command("verify")(photo_verify.verify)
photo_keys_app = typer.Typer(help="The keys that sign receipts of checked photos. 密钥。", no_args_is_help=True)
photo_keys_app.command("new")(photo_keys.new)
photo_keys_app.command("list")(photo_keys.list_)
photo_keys_app.command("retire")(photo_keys.retire)
photo_app.add_typer(photo_keys_app, name="keys")
app.add_typer(photo_app, name="photo")

images_app = typer.Typer(help="Image files, judged as the services do. 图片检查。", no_args_is_help=True)


@images_app.callback()
def _images() -> None:
    """Keeps `check` a command of its own while it is the only one."""


images_app.command("check")(images.check)
app.add_typer(images_app, name="images")

contracts_app = typer.Typer(help="The events' schemas, as others go by them. 事件契约。", no_args_is_help=True)
contracts_app.command("export")(contracts.export)
app.add_typer(contracts_app, name="contracts")

bench_app = typer.Typer(help="Measurements against a bare rival, in one run. 性能对比。", no_args_is_help=True)


@bench_app.callback()
def _benches() -> None:
    """Keeps `flow` a command of its own while it is the only one."""


bench_app.command("flow")(bench.flow)
bench_app.command("web")(bench.web)
bench_app.command("rules")(bench.rules)
bench_app.command("images")(bench_images.images)
bench_app.command("review")(bench_review.review)
app.add_typer(bench_app, name="bench")


def main() -> None:
    """Run a command. What code says on the way goes to standard error: standard output is the command's answer."""
    from shared.telemetry import logs

    logs.configure("baoshen", level="WARNING", console=True, stream=sys.stderr)
    app()
