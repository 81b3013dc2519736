"""`baoshen --help` is there at once: what a command works with is read when it runs, not before."""

import json
import subprocess
import sys

# Kafka, the databases, S3, HTTP, the services' frameworks, the models of events and packs, and what looks at images:
# with them the words came after three seconds.
HEAVY = {
    "aiobotocore",
    "aiokafka",
    "alembic",
    "asyncpg",
    "botocore",
    "cel_expr_python",
    "cv2",
    "fastapi",
    "faststream",
    "httpx",
    "numpy",
    "onnxruntime",
    "PIL",
    "pydantic",
    "rapidocr",
    "sqlalchemy",
}
HELP = """
import json, sys
from deploy.cli import main
sys.argv = ["baoshen", "--help"]
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def test_help_reads_no_kafka_client_no_database_and_nothing_that_looks_at_images() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, timeout=60, check=False)

    read = set(json.loads(done.stderr.splitlines()[-1]))
    assert done.returncode == 0
    assert "dlq" in done.stdout
    assert "deploy.commands.dlq" in read
    assert read & HEAVY == set()
    assert [name for name in sorted(read) if name.split(".")[0] == "services"] == []
