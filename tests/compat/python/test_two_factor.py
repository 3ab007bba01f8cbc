"""Second factors with pyotp, the guides' own code, and a real decoder of QR codes."""

import base64
import io
import re
import time

import pyotp
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from person import PASSWORD, call

STEP = 30


def as_user(server, person, method, path, **kwargs):
    return call(server, method, path, headers={"x-stack-access-token": person.access_token}, **kwargs)


def first_factor(server, email) -> str:
    """The attempt code of a password that is right."""
    answer = call(server, "POST", "/auth/password/sign-in", json={"email": email, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED"), answer.text
    return answer.json()["details"]["attempt_code"]


def second_factor(server, attempt, **proof):
    return call(server, "POST", "/auth/mfa/sign-in", json={"code": attempt, **proof})


def set_up(server, person) -> dict:
    answer = as_user(server, person, "POST", "/auth/mfa/totp/setup", json={})
    assert answer.status_code == 200, answer.text
    return answer.json()


def decoded(image: Image.Image) -> str:
    (found,) = zxingcpp.read_barcodes(image)
    assert found.format == zxingcpp.BarcodeFormat.QRCode
    return found.text


def drawn(svg: str) -> Image.Image:
    """The rectangles of the SVG as a picture."""
    width, height = (int(re.search(rf'{side}="(\d+)"', svg)[1]) for side in ("width", "height"))
    image = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(image)
    rectangles = re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", svg)
    assert len(rectangles) > 100
    for left, top, wide, high in (map(int, rectangle) for rectangle in rectangles):
        pen.rectangle((left, top, left + wide - 1, top + high - 1), fill=0)
    return image


def test_a_secret_of_the_guide_signs_in_with_codes_of_pyotp(server, person, guide):
    two_factor = guide("two_factor").TwoFactorAuth
    secret = two_factor.generate_secret()
    body = {"totp_secret_base64": base64.b64encode(base64.b32decode(secret)).decode()}
    assert as_user(server, person, "PATCH", "/users/me", json=body).json()["requires_totp_mfa"] is True
    attempt = first_factor(server, person.email)
    code = pyotp.TOTP(secret).now()
    assert two_factor.verify_code(secret, code)
    answer = second_factor(server, attempt, type="totp", totp=code)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"access_token", "refresh_token", "user_id", "is_new_user"}
    replayed = second_factor(server, first_factor(server, person.email), type="totp", totp=code)
    assert replayed.json()["code"] == "INVALID_TOTP_CODE"


def test_a_qr_code_says_the_uri_and_an_app_that_scans_it_signs_in(server, person, guide):
    setup = set_up(server, person)
    header, picture = setup["qr_code_png"].split(",")
    assert header == "data:image/png;base64"
    assert decoded(Image.open(io.BytesIO(base64.b64decode(picture)))) == setup["otpauth_uri"]
    assert decoded(drawn(setup["qr_code_svg"])) == setup["otpauth_uri"]

    app = pyotp.parse_uri(setup["otpauth_uri"])
    assert isinstance(app, pyotp.TOTP)
    assert (app.secret, app.name) == (setup["secret"], person.email)
    assert app.issuer
    code = app.now()
    module = guide("two_factor")
    assert module.TwoFactorAuth.verify_code(setup["secret"], code)
    confirmed = as_user(server, person, "POST", "/auth/mfa/totp/confirm", json={"totp": code})
    assert confirmed.status_code == 200, confirmed.text
    codes = confirmed.json()["backup_codes"]
    assert len(set(codes)) == 10

    attempt = first_factor(server, person.email)
    assert second_factor(server, attempt, type="totp", totp=code).json()["code"] == "INVALID_TOTP_CODE"
    # The code of the next step: the one of this step has just been used.
    assert second_factor(server, attempt, type="totp", totp=app.at(time.time() + STEP)).status_code == 200
    attempt = first_factor(server, person.email)
    assert second_factor(server, attempt, type="backup_code", backup_code=codes[0]).status_code == 200
    attempt = first_factor(server, person.email)
    assert second_factor(server, attempt, type="backup_code", backup_code=codes[0]).status_code == 400


def test_the_uri_of_the_guide_and_ours_make_the_same_codes(server, person, guide):
    setup = set_up(server, person)
    theirs = guide("two_factor").TwoFactorAuth.get_provisioning_uri(setup["secret"], person.email)
    moment = int(time.time())
    assert pyotp.parse_uri(theirs).at(moment) == pyotp.parse_uri(setup["otpauth_uri"]).at(moment)


def test_the_picture_of_the_guide_says_its_uri(guide):
    two_factor = guide("two_factor").TwoFactorAuth
    uri = two_factor.get_provisioning_uri(two_factor.generate_secret(), "ada@example.com")
    picture = base64.b64decode(two_factor.generate_qr_code(uri))
    assert decoded(Image.open(io.BytesIO(picture)).convert("L")) == uri


@pytest.mark.parametrize("steps", [-3, 3])
def test_codes_that_are_far_off_are_refused(server, person, steps):
    setup = set_up(server, person)
    # Three steps: if one ends before the answer, the code is still two steps off.
    code = pyotp.TOTP(setup["secret"]).at(time.time() + steps * STEP)
    answer = as_user(server, person, "POST", "/auth/mfa/totp/confirm", json={"totp": code})
    assert answer.json()["code"] == "INVALID_TOTP_CODE"
