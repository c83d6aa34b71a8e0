"""A stand-in for the Hugging Face Hub: the part of its HTTP interface that push and load use, files in memory."""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SMALL = 10_000  # bytes from which files are sent by Git LFS


class Hub:
    """The server; `files` has what each repository holds."""

    def __init__(self):
        self.files, self.stored, self.damaged = {}, {}, False
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._file(send=True)

    def do_HEAD(self):
        self._file(send=False)

    def do_PUT(self):
        content = self._body()
        self.hub.stored[hashlib.sha256(content).hexdigest()] = content
        self._answer({})

    def do_POST(self):
        body, path = self._body(), self.path.split("?")[0]
        for pattern, answer in _ROUTES.items():
            if found := re.fullmatch(pattern, path):
                return self._answer(*answer(self.hub, body, *found.groups()))
        return self._answer({"error": f"no {path}"}, 404)

    def _file(self, send):
        path = self.path.split("?")[0]
        if found := re.fullmatch(r"/api/models/(.+?)(/revision/main)?", path):
            if found[1] not in self.hub.files:
                return self._missing("RepoNotFound", send)
            return self._answer({"id": found[1], "modelId": found[1], "sha": COMMIT, "siblings": [], "tags": []})
        found = re.fullmatch(r"/(.+/.+?)/resolve/([^/]+)/(.+)", path)
        if not found or found[1] not in self.hub.files:
            return self._missing("RepoNotFound", send)
        content = self.hub.files[found[1]].get(found[3])
        if content is None:
            return self._missing("EntryNotFound", send)
        large = len(content) > SMALL
        digest = hashlib.sha256(content) if large else hashlib.sha1(b"blob %d\0" % len(content) + content)
        if self.hub.damaged:
            content = bytes([content[0] ^ 1]) + content[1:]
        self.send_response(200)
        self.send_header("ETag", f'"{digest.hexdigest()}"')
        if large:
            self.send_header("X-Linked-Etag", f'"{digest.hexdigest()}"')
            self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if send:
            self.wfile.write(content)
        return None

    def _missing(self, code, send):
        body = b'{"error": "not found"}'
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", "not found")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if send:
            self.wfile.write(body)

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, content, status=200):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _create(hub, body):
    asked = json.loads(body)
    name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
    if name.startswith("others/"):
        return {"error": "You don't have the rights to create a model here"}, 403
    hub.files.setdefault(name, {})
    return {"url": f"{hub.url}/{name}", "id": name, "name": name}, 200


def _preupload(hub, body, name):
    sizes = {one["path"]: one["size"] for one in json.loads(body)["files"]}
    modes = {path: "lfs" if size > SMALL else "regular" for path, size in sizes.items()}
    return {"files": [{"path": path, "uploadMode": mode, "shouldIgnore": False} for path, mode in modes.items()]}, 200


def _batch(hub, body, name):
    upload = {"upload": {"href": f"{hub.url}/lfs"}}
    objects = [{**one, "actions": upload} for one in json.loads(body)["objects"]]
    return {"transfer": "basic", "objects": objects}, 200


def _commit(hub, body, name):
    for line in map(json.loads, body.splitlines()):
        value = line["value"]
        if line["key"] == "file":
            hub.files[name][value["path"]] = base64.b64decode(value["content"])
        elif line["key"] == "lfsFile":
            hub.files[name][value["path"]] = hub.stored[value["oid"]]
    return {"commitUrl": f"{hub.url}/{name}/commit/{COMMIT}", "commitOid": COMMIT}, 200


_ROUTES = {
    r"/api/repos/create": _create,
    r"/api/validate-yaml": lambda hub, body: ({"errors": [], "warnings": []}, 200),
    r"/api/models/(.+)/preupload/main": _preupload,
    r"/(.+)\.git/info/lfs/objects/batch": _batch,
    r"/api/models/(.+)/commit/main": _commit,
}
