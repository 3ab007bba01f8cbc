// What the page of these tests offers to them: the published libraries, unmodified.
import { startAuthentication, startRegistration } from "@simplewebauthn/browser";
import { StackClientApp } from "@stackframe/js";

window.tested = { startAuthentication, startRegistration, StackClientApp };
