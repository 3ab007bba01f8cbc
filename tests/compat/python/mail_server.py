"""Mail servers on ports of their own: real ones, of the package `aiosmtpd`, over TLS with certificates made here.

Owns their threads; what a mail is worth is the tests' business.
"""

import contextlib
import datetime
import email
import email.policy
import ipaddress
import pathlib
import ssl
import threading
import time
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USERNAME, PASSWORD = "harbour", "lamps at dusk"
WITHIN_SECONDS = 60


@dataclass(frozen=True)
class Authority:
    """A private certificate authority and a server's certificate of it, for `localhost`."""

    ca_file: pathlib.Path
    certificate: pathlib.Path
    key: pathlib.Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def authority(directory: pathlib.Path) -> Authority:
    """A new one, in files of `directory`."""
    now = datetime.datetime.now(datetime.timezone.utc)
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def certificate(subject, key, issuer, signing_key, is_authority):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(signing_key, hashes.SHA256())

    def write(file, *parts):
        (directory / file).write_bytes(b"".join(parts))
        return directory / file

    pem = serialization.Encoding.PEM
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = certificate("Test authority", ca_key, "Test authority", ca_key, True)
    server = certificate("localhost", key, "Test authority", ca_key, False)
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Authority(
        write("ca.pem", ca.public_bytes(pem)), write("server.pem", server.public_bytes(pem)), write("server.key", private),
    )


@dataclass(frozen=True)
class Taken:
    """A mail, as it came."""

    sender: str
    recipients: list[str]
    message: email.message.EmailMessage
    over_tls: bool
    signed_in: bool


@dataclass
class MailServer:
    """What came, and who is refused."""

    port: int
    taken: list[Taken] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        over_tls = server.transport.get_extra_info("ssl_object") is not None
        with self.arrived:
            self.taken.append(Taken(envelope.mail_from, envelope.rcpt_tos, message, over_tls, session.authenticated))
            self.arrived.notify_all()
        return "250 taken"

    def wait_for(self, count: int) -> list[Taken]:
        """The mails, once there are so many."""
        deadline = time.monotonic() + WITHIN_SECONDS
        with self.arrived:
            while len(self.taken) < count:
                assert self.arrived.wait(deadline - time.monotonic()), f"{len(self.taken)} of {count} mails came"
            return list(self.taken)


def _authenticator(server, session, envelope, mechanism, data) -> AuthResult:
    is_right = (data.login, data.password) == (USERNAME.encode(), PASSWORD.encode())
    # Unhandled makes the library answer 535 itself.
    return AuthResult(success=is_right, handled=False)


@contextlib.contextmanager
def mail_server(port: int, certificates: Authority, tls: str):
    """A server that takes mail of those who sign in; `tls` is `implicit`, `starttls` or `none`."""
    running = MailServer(port)
    arguments = {
        "starttls": {"tls_context": certificates.context(), "require_starttls": True},
        "implicit": {"ssl_context": certificates.context(), "auth_require_tls": False},
        "none": {"auth_require_tls": False},
    }[tls]
    controller = Controller(
        running, hostname="127.0.0.1", port=port, authenticator=_authenticator, auth_required=True, **arguments,
    )
    controller.start()
    try:
        yield running
    finally:
        controller.stop()
