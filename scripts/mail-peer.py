"""mail-peer.py FOLDER: a mail server by other people (aiosmtpd) for `make mail-test`. It makes itself a certificate authority,
listens on two ports of this machine, one encrypted from the first byte and one by STARTTLS, takes mail only from who has
signed in over an encrypted connection, puts off who is called defer.… (451), knows nobody called bounce.… (550), and prints lines
of JSON: its ports, and then each message that it took."""
import asyncio, json, ssl, subprocess, sys
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

folder = Path(sys.argv[1])


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def authority(name):
    """An authority, and a certificate for 127.0.0.1 that it has signed."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    openssl("req", "-x509", *key, "-keyout", f"{name}-ca.key", "-out", f"{name}-ca.pem", "-days", "2", "-subj", f"/CN={name} authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=127.0.0.1")
    (folder / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}-ca.pem", "-CAkey", f"{name}-ca.key", "-CAcreateserial",
            "-out", f"{name}.pem", "-days", "2", "-extfile", f"{name}.ext")


class Box:
    def __init__(self, port):
        self.port = port

    async def handle_RCPT(self, server, session, envelope, address, options):
        for name, answer in {"defer": "451 4.2.1 come back later", "bounce": "550 5.1.1 no such mailbox"}.items():
            if address.startswith(f"{name}."):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=policy.default)
        tls = session.ssl
        print(json.dumps({
            "port": self.port, "to": envelope.rcpt_tos, "subject": message["subject"],
            "text": message.get_body(preferencelist=("plain",)).get_content(), "authenticated": bool(session.authenticated),
            "tls": bool(tls) or self.port == "smtps", "unsubscribe": message["list-unsubscribe"],
            "files": {part.get_filename(): list(part.get_content()[:4]) for part in message.iter_attachments()},
        }), flush=True)
        return "250 queued"


def let_in(server, session, envelope, mechanism, given):
    return AuthResult(success=(given.login, given.password) == (b"rtv", b"s3cr/t"))


authority("known")
authority("stranger")
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(folder / "known.pem", folder / "known.key")
rules = {"authenticator": let_in, "auth_required": True}


def starttls():
    return SMTP(Box("starttls"), tls_context=context, require_starttls=True, **rules)


def smtps():
    # The connection is encrypted before the first word, which aiosmtpd does not see: it must be told not to ask for more.
    return SMTP(Box("smtps"), auth_require_tls=False, **rules)


async def serve():
    loop = asyncio.get_running_loop()
    listening = {
        "starttls": await loop.create_server(starttls, "127.0.0.1", 0),
        "smtps": await loop.create_server(smtps, "127.0.0.1", 0, ssl=context),
    }
    print(json.dumps({name: server.sockets[0].getsockname()[1] for name, server in listening.items()}), flush=True)
    # Until whoever began this closes its end.
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(serve())
