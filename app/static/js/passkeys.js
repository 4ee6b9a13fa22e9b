// Logging in with a passkey, and adding one. The form is hidden until this script finds that the browser can do it; the
// answer of the passkey goes along in an ordinary form, so that everything else works as on every page.
"use strict";

(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

  function base64url(buffer) {
    const characters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte));
    return btoa(characters.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  const decoded = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));

  async function create(options) {
    const credential = await navigator.credentials.create({ publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: decoded(options.excludeCredentials),
    } });
    return answer(credential, {
      attestationObject: base64url(credential.response.attestationObject),
      transports: credential.response.getTransports?.() || [],
    });
  }

  async function get(options) {
    const credential = await navigator.credentials.get({ publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: decoded(options.allowCredentials),
    } });
    const { authenticatorData, signature, userHandle } = credential.response;
    return answer(credential, {
      authenticatorData: base64url(authenticatorData),
      signature: base64url(signature),
      userHandle: userHandle ? base64url(userHandle) : null,
    });
  }

  function answer(credential, response) {
    return JSON.stringify({
      id: credential.id,
      rawId: base64url(credential.rawId),
      type: credential.type,
      clientExtensionResults: {},
      response: { clientDataJSON: base64url(credential.response.clientDataJSON), ...response },
    });
  }

  const ways = { create, get };

  async function ask(form) {
    const failed = form.querySelector("[data-passkey-failed]");
    failed.hidden = true;
    try {
      const options = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
      if (!options.ok || options.redirected) throw new Error("no options");
      form.elements.passkey.value = await ways[form.dataset.passkey](await options.json());
    } catch {
      // Cancelled, timed out, unknown here: the browser has said which; what helps is the same.
      failed.hidden = false;
      return;
    }
    form.submit();
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
  }
  for (const text of document.querySelectorAll("[data-passkey-absent]")) text.hidden = true;
})();
