// Small helps on top of pages that work without them. No state that matters lives here.
"use strict";

(() => {
  const live = document.getElementById("live");
  const alertPlace = document.getElementById("page-alert");
  const user = document.body.dataset.user || "";
  const PREFIX = "draft:";

  function showTemplate(id) {
    const copy = document.getElementById(id).content.cloneNode(true);
    alertPlace.replaceChildren(copy);
    return alertPlace.firstElementChild;
  }

  function announce(text) {
    live.textContent = "";
    // A new text in the next turn: the same sentence twice is read twice.
    setTimeout(() => { live.textContent = text; }, 50);
    setTimeout(() => { live.textContent = ""; }, 6000);
  }

  // What was changed or refused gets the focus, on a new page and after a part was replaced.
  function focusOn(root) {
    const target = root.matches?.("[data-focus]") ? root : root.querySelector("[data-focus]");
    if (!target) return false;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest" });
    return true;
  }

  // The button of a filter goes with the list that it replaces. Whoever pressed it reads on from the new list: without
  // this the next Tab would go past it.
  function readOnFrom(part, request) {
    if (document.activeElement !== document.body || !request.elt.matches("form")) return;
    const result = part.querySelector("[role=status]");
    if (!result) return;
    result.tabIndex = -1;
    result.focus({ preventScroll: true });
  }

  // --- typed text survives a lost login and a failing server: kept in this tab until a save succeeded ---

  const fields = (form) => [...form.elements].filter((field) =>
    field.name && field.type !== "hidden" && field.type !== "password" && field.type !== "file" && field.type !== "submit");

  function typed(form) {
    return fields(form)
      .filter((field) => (field.type !== "radio" && field.type !== "checkbox") || field.checked)
      .map((field) => [field.name, field.value]);
  }

  const keyOf = (form) => PREFIX + user + ":" + form.dataset.draft;

  function read(key) {
    try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; }
  }

  function write(key, draft) {
    try { sessionStorage.setItem(key, JSON.stringify(draft)); } catch { /* full or forbidden: then without */ }
  }

  function drafts() {
    return Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
  }

  function putBack(form, draft) {
    for (const field of fields(form)) {
      const values = draft.typed.filter(([name]) => name === field.name).map(([, value]) => value);
      if (field.type === "radio" || field.type === "checkbox") field.checked = values.includes(field.value);
      else if (values.length) field.value = values[0];
    }
    form.dataset.dirty = "";
  }

  function offer(form) {
    const draft = read(keyOf(form));
    if (!draft || JSON.stringify(draft.typed) === JSON.stringify(typed(form))) return;
    const box = showTemplate("draft");
    box.querySelector("[data-draft-restore]").addEventListener("click", () => {
      putBack(form, draft);
      box.remove();
      fields(form)[0]?.focus();
    });
    box.querySelector("[data-draft-drop]").addEventListener("click", () => {
      sessionStorage.removeItem(keyOf(form));
      box.remove();
    });
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form || form.dataset.draft === undefined) return;
    form.dataset.dirty = "";
    write(keyOf(form), { typed: typed(form), sent: false });
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.forget !== undefined) drafts().forEach((key) => sessionStorage.removeItem(key));
    if (form.dataset.draft === undefined) return;
    delete form.dataset.dirty;
    write(keyOf(form), { typed: typed(form), sent: true });
  });

  // Only while something is typed and not sent: a page with this listener cannot be kept for "back".
  addEventListener("beforeunload", (event) => {
    if (document.querySelector("form[data-dirty]")) event.preventDefault();
  });

  // --- htmx ---

  document.addEventListener("htmx:afterSwap", (event) => {
    const part = event.detail.target.isConnected ? event.detail.target : document.getElementById(event.detail.target.id);
    if (!part) return;
    if (!focusOn(part)) readOnFrom(part, event.detail.requestConfig);
    const text = part.querySelector("[data-announce]")?.dataset.announce || part.dataset.announce;
    if (text) announce(text);
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    // Not detail.elt: when the form itself was replaced, that is what stood around it.
    const form = event.detail.requestConfig.elt;
    if (event.detail.successful && form.matches("form[data-draft]")) sessionStorage.removeItem(keyOf(form));
    else if (event.detail.failed && form.matches("form[data-draft]")) form.dataset.dirty = "";
  });

  for (const trouble of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(trouble, () => focusOn(showTemplate("offline")) );
  }

  // --- start ---

  for (const key of drafts()) {
    const isOurs = key.startsWith(PREFIX + user + ":");
    const isSaved = document.querySelector("[data-saved]") && read(key)?.sent;
    // Signed out by time shows no user: the text must wait for its owner. Another user must never see it.
    if ((user && !isOurs) || isSaved) sessionStorage.removeItem(key);
  }
  document.querySelectorAll("form[data-draft]").forEach(offer);
  focusOn(document);
})();
