// The published client app, unmodified: codes and links by mail, forgotten passwords, verified addresses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientApp } from "./apps.mjs";
import { mailsTo, newEmail, onEachEngine, PASSWORD } from "./harness.mjs";

const CALLBACK = "http://localhost:3000/handler/callback?from=mail";
const OTHER_PASSWORD = "another harbour at 7";

function assertTypedError(result, code) {
  assert.equal(result.status, "error");
  assert.equal(result.error.errorCode, code);
}

onEachEngine("codes by mail", (server) => {
  const newApp = (options) => clientApp(server, options);

  /** The code in the link of the newest mail to an address, and the mail; waits until it is not the code `known`. */
  async function mailed(email, known = undefined) {
    for (;;) {
      const [mail] = await mailsTo(server, email);
      const [link] = mail.text.match(/http:\/\/localhost:3000\/\S+/);
      const url = new URL(link);
      assert.equal(url.searchParams.get("from"), "mail");
      const code = url.searchParams.get("code");
      if (code !== known) return { mail, code };
    }
  }

  async function signedUp(email, options = { noVerificationCallback: true }) {
    const app = newApp();
    const result = await app.signUpWithCredential({ email, password: PASSWORD, noRedirect: true, ...options });
    assert.equal(result.status, "ok");
    return app;
  }

  /** Asks for a code and gives the nonce. */
  async function asked(app, email) {
    const result = await app.sendMagicLinkEmail(email, { callbackUrl: CALLBACK });
    assert.equal(result.status, "ok");
    return result.data.nonce;
  }

  test("a magic link signs somebody new up, and signs them in again", async () => {
    const email = newEmail();
    const app = newApp();
    await asked(app, email);
    const { code } = await mailed(email);
    assert.equal((await app.signInWithMagicLink(code, { noRedirect: true })).status, "ok");
    const user = await app.getUser();
    assert.deepEqual([user.primaryEmail, user.primaryEmailVerified, user.otpAuthEnabled], [email, true, true]);

    const again = newApp();
    await asked(again, email);
    const second = await mailed(email, code);
    assert.equal((await again.signInWithMagicLink(second.code, { noRedirect: true })).status, "ok");
    assert.equal((await again.getUser()).id, user.id);
  });

  test("a typed code signs in", async () => {
    const email = newEmail();
    const app = newApp();
    const nonce = await asked(app, email);
    const { mail, code } = await mailed(email);
    const typed = code.slice(0, 6).toUpperCase();
    assert.ok(mail.text.includes(typed));
    assert.equal(code, typed.toLowerCase() + nonce);
    assertTypedError(await app.signInWithMagicLink("000000" + nonce, { noRedirect: true }), "VERIFICATION_CODE_NOT_FOUND");
    assert.equal((await app.signInWithMagicLink(typed + nonce, { noRedirect: true })).status, "ok");
    assert.equal((await app.getUser()).primaryEmail, email);
    assertTypedError(await newApp().signInWithMagicLink(code, { noRedirect: true }), "VERIFICATION_CODE_ALREADY_USED");
  });

  test("an untrusted callback is a typed error", async () => {
    const result = await newApp().sendMagicLinkEmail(newEmail(), { callbackUrl: "https://evil.example/" });
    assertTypedError(result, "REDIRECT_URL_NOT_WHITELISTED");
  });

  test("a forgotten password is replaced", async () => {
    const email = newEmail();
    const before = await signedUp(email);
    const app = newApp();
    assert.equal((await app.sendForgotPasswordEmail(email, { callbackUrl: CALLBACK })).status, "ok");
    const { code } = await mailed(email);
    assert.equal((await app.verifyPasswordResetCode(code)).status, "ok");
    assert.equal((await app.resetPassword({ code, password: OTHER_PASSWORD })).status, "ok");
    assertTypedError(await app.resetPassword({ code, password: OTHER_PASSWORD }), "VERIFICATION_CODE_ALREADY_USED");
    assertTypedError(await app.verifyPasswordResetCode("0".repeat(45)), "VERIFICATION_CODE_NOT_FOUND");
    assert.equal(await before.getUser(), null);
    assertTypedError(await app.signInWithCredential({ email, password: PASSWORD, noRedirect: true }), "EMAIL_PASSWORD_MISMATCH");
    assert.equal((await app.signInWithCredential({ email, password: OTHER_PASSWORD, noRedirect: true })).status, "ok");
  });

  test("nobody learns whether there is an account", async () => {
    assert.equal((await newApp().sendForgotPasswordEmail(newEmail(), { callbackUrl: CALLBACK })).status, "ok");
  });

  test("an address is verified by the mail of the sign-up", async () => {
    const email = newEmail();
    const app = await signedUp(email, { verificationCallbackUrl: CALLBACK });
    assert.equal((await app.getUser()).primaryEmailVerified, false);
    const { code } = await mailed(email);
    assert.equal((await app.verifyEmail(code)).status, "ok");
    assert.equal((await app.getUser()).primaryEmailVerified, true);
    assertTypedError(await app.verifyEmail(code), "VERIFICATION_CODE_ALREADY_USED");
  });

  test("an address in mixed case is verified as well", async () => {
    const email = newEmail();
    const app = await signedUp(email.replace("person", "Person"), { verificationCallbackUrl: CALLBACK });
    const { code } = await mailed(email);
    assert.equal((await app.verifyEmail(code)).status, "ok");
    assert.equal((await app.getUser()).primaryEmailVerified, true);
  });

  test("a channel is verified when its owner asks", async () => {
    const user = await (await signedUp(newEmail())).getUser();
    const value = newEmail();
    const channel = await user.createContactChannel({ type: "email", value, usedForAuth: false });
    await channel.sendVerificationEmail({ callbackUrl: CALLBACK });
    const { code } = await mailed(value);
    assert.equal((await newApp().verifyEmail(code)).status, "ok");
    const channels = await user.listContactChannels();
    assert.equal(channels.find((one) => one.value === value).isVerified, true);
  });
});
