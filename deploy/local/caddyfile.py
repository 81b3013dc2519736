"""The gateway's configuration: one origin for the web pages and the services' public APIs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

_TEMPLATE = """\
{
	admin off
	auto_https off
	persist_config off
	skip_install_trust
	storage file_system "%(folder)s/data"
	log {
		output stderr
		level WARN
	}
	servers {
		protocols h1
		max_header_size 16KB
		timeouts {
			read_header %(read_header)ss
			read_body %(read_body)ss
			# Off: in 2.11 it forgets the deadline before the rest of a stalled body is drained, and hangs for good.
			read_body_idle -1s
			idle %(idle)ss
		}
	}
}

(guard) {
	header {
		Content-Security-Policy "%(policy)s"
		X-Content-Type-Options nosniff
		X-Frame-Options DENY
		Referrer-Policy no-referrer
		Cross-Origin-Opener-Policy same-origin
		Cross-Origin-Resource-Policy same-origin
		-Server
		-Via
		defer
	}
}

# A service that is down is said to be so, as a problem document like any other.
(service) {
	reverse_proxy {args[0]} {
		transport http {
			dial_timeout 3s
			response_header_timeout 60s
		}
	}
}

# Cookies and the Origin check belong to one host name.
http://localhost:%(port)s {
	bind 127.0.0.1
	redir %(origin)s{uri} 308
}

# No other name leads here: a page of another site can't point its own name at this machine.
http://:%(port)s {
	bind 127.0.0.1
	respond "This server is %(origin)s" 421
}

http://127.0.0.1:%(port)s {
	bind 127.0.0.1
	import guard

	# Only the gateway itself may say who is asking.
	request_header -X-Baoshen-Identity
	request_body {
		max_size 11MB
	}

	# Live pages (text/event-stream) pass through unbuffered by themselves. `flush_interval -1` would do no more,
	# but keep the service talking to browsers that have gone.
	@upload path /applications /applications/* /candidate /candidate/*
	handle @upload {
		import service 127.0.0.1:%(upload)s
	}

	@review {
		path /reviews /reviews/* /bulk-passes /publications /publications/*
		path /progress /exports/* /audit /audit/* /staff /staff/*
	}
	handle @review {
		import service 127.0.0.1:%(review)s
	}

	@notify path /inbox /inbox/*
	handle @notify {
		forward_auth 127.0.0.1:%(upload)s {
			uri /candidate/identity?audience=notify
			copy_headers X-Baoshen-Identity
			transport http {
				dial_timeout 3s
				response_header_timeout 10s
			}
		}
		import service 127.0.0.1:%(notify)s
	}

	handle /openapi/upload.json {
		rewrite * /openapi.json
		import service 127.0.0.1:%(upload)s
	}
	handle /openapi/review.json {
		rewrite * /openapi.json
		import service 127.0.0.1:%(review)s
	}
	handle /openapi/notify.json {
		rewrite * /openapi.json
		import service 127.0.0.1:%(notify)s
	}

	# For operators, on each service's own port.
	@inner path /metrics /live /ready
	handle @inner {
		error 404
	}

	redir /console /console/ 308
	handle_path /console/* {
%(staff_pages)s
	}
	handle {
%(candidate_pages)s
	}

	handle_errors {
		import guard
		header Content-Type application/problem+json
		header Cache-Control no-store
		@too_large expression {err.status_code} == 413
		handle @too_large {
			respond `%(too_large)s` 413
		}
		@absent expression {err.status_code} == 404
		handle @absent {
			respond `%(absent)s` 404
		}
		@away expression {err.status_code} >= 500
		handle @away {
			header Retry-After 5
			respond `%(away)s` 503
		}
		respond `%(other)s` {err.status_code}
	}
}
"""

_PAGES = """\
		root * "%(folder)s"
		encode zstd gzip
		@hashed path /assets/*
		header @hashed Cache-Control "public, max-age=31536000, immutable"
		@named not path /assets/*
		header @named Cache-Control no-cache
		# A page's own address, opened or reloaded in a browser; a missing file stays missing.
		@address {
			method GET HEAD
			header Accept *text/html*
			not path *.*
		}
		handle @address {
			try_files {path} /index.html
			file_server
		}
		handle {
			file_server
		}"""

_NO_PAGES = """\
		header Content-Type "text/html; charset=utf-8"
		respond `<!doctype html><meta charset="utf-8"><title>Baoshen</title>
<p>网页尚未构建 · The web pages are not built: <code>make web</code></p>` 503"""


# As the services have them: `detail` is Chinese, `detail_en` English, and both say what to do.
_PROBLEMS = {
    "too_large": (
        413,
        "Content Too Large",
        "请求超过 11 MB，请压缩图片后再上传。",
        "Larger than 11 MB; send a smaller image.",
    ),
    "absent": (404, "Not Found", "没有这个地址，请检查链接。", "There is nothing at this address; check the link."),
    "away": (
        503,
        "Service Unavailable",
        "服务暂时不可用，请稍后再试。",
        "Away for a moment; try again in a few seconds.",
    ),
    "other": (
        400,
        "Bad Request",
        "请求无法处理，请刷新页面后再试。",
        "The request can't be read; reload the page and try again.",
    ),
}


@dataclass(frozen=True)
class Pages:
    """Where the built web pages lie."""

    candidate: Path
    staff: Path


@dataclass(frozen=True)
class Patience:
    """For how many seconds a client may keep the gateway waiting."""

    read_header: int = 10
    read_body: int = 100
    idle: int = 60


USUAL_PATIENCE = Patience()


def caddyfile(folder: Path, ports: Mapping[str, int], pages: Pages, patience: Patience = USUAL_PATIENCE) -> str:
    """Write the configuration for a gateway that keeps its own files in `folder`."""
    return _TEMPLATE % {
        **asdict(patience),
        **{name: _problem(*words) for name, words in _PROBLEMS.items()},
        "folder": folder,
        "policy": CONTENT_SECURITY_POLICY,
        "port": ports["GATEWAY_PORT"],
        "origin": f"http://127.0.0.1:{ports['GATEWAY_PORT']}",
        "upload": ports["UPLOAD_PORT"],
        "review": ports["REVIEW_PORT"],
        "notify": ports["NOTIFY_PORT"],
        "candidate_pages": _serve(pages.candidate),
        "staff_pages": _serve(pages.staff),
    }


def _problem(status: int, title: str, detail: str, detail_en: str) -> str:
    code = title.lower().replace(" ", "-")
    problem = {"type": f"urn:baoshen:problem:{code}", "title": title, "status": status, "code": code}
    return json.dumps({**problem, "detail": detail, "detail_en": detail_en}, ensure_ascii=False)


def _serve(folder: Path) -> str:
    if not (folder / "index.html").exists():
        return _NO_PAGES
    return _PAGES % {"folder": folder}
