# pip install pyotp qrcode
import pyotp
import qrcode
import io
import base64


class TwoFactorAuth:
    """TOTP-based 2FA (compatible with Google Authenticator, Authy, etc.)."""

    @staticmethod
    def generate_secret() -> str:
        """Generate a new TOTP secret for a user."""
        return pyotp.random_base32()

    @staticmethod
    def get_provisioning_uri(secret: str, email: str, issuer: str = "MyApp") -> str:
        """Generate the URI for QR code scanning."""
        totp = pyotp.TOTP(secret)
        return totp.provisioning_uri(name=email, issuer_name=issuer)

    @staticmethod
    def generate_qr_code(uri: str) -> str:
        """Generate QR code as base64 PNG for embedding in HTML."""
        qr = qrcode.make(uri)
        buffer = io.BytesIO()
        qr.save(buffer, format="PNG")
        return base64.b64encode(buffer.getvalue()).decode()

    @staticmethod
    def verify_code(secret: str, code: str) -> bool:
        """Verify a TOTP code (allows 30s window)."""
        totp = pyotp.TOTP(secret)
        return totp.verify(code, valid_window=1)


# The other guide's, which has no window.
def generate_totp_secret() -> str:
    return pyotp.random_base32()


def verify_totp(secret: str, code: str) -> bool:
    totp = pyotp.TOTP(secret)
    return totp.verify(code)
