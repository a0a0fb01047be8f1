// What pages do beyond links and forms. Everything here makes a page that works without it more comfortable.
// Behaviour hangs on data-* attributes; texts come from the page, so that they are translated.
"use strict";

(() => {
  const YEAR = 365 * 24 * 3600;
  const PASSES_AFTER = 8000;
  const KEYS_OFF = "keys-off";

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const on = (event, selector, react) =>
    document.addEventListener(event, (happened) => {
      const found = happened.target instanceof Element && happened.target.closest(selector);
      if (found) react(found, happened);
    });

  // Storage may be forbidden by the browser; a preference is then kept for this page only.
  const kept = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { value ? localStorage.setItem(key, value) : localStorage.removeItem(key); } catch { /* see above */ } },
  };

  // -- Lists by keyboard ------------------------------------------------------------------------------------------------

  const lines = () => all("[data-row] .row-link").filter((link) => link.offsetParent);

  function step(by) {
    const links = lines();
    const at = links.findIndex((link) => link.closest("[data-row]").contains(document.activeElement));
    const next = links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)];
    if (next) {
      next.focus({ preventScroll: true });
      next.closest("[data-row]").scrollIntoView({ block: "nearest" });
    }
  }

  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => document.querySelector("[data-filter]")?.focus(),
    "?": () => document.getElementById("keys")?.showModal(),
  };

  const typing = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const open = document.querySelector("details.menu[open]");
      if (open) {
        open.open = false;
        open.querySelector("summary").focus();
      } else if (event.target.matches?.("[data-filter]")) {
        // Browsers empty the field: then "/ anna Esc j Enter" would open somebody else.
        event.preventDefault();
        event.target.blur();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || kept.get(KEYS_OFF)) return;
    if (document.querySelector("dialog[open]")) return;
    const act = KEYS[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  // WCAG 2.1.4: shortcuts of one letter can be switched off.
  on("change", "[data-keys-switch]", (box) => kept.set(KEYS_OFF, box.checked ? "" : "1"));

  // -- Menus, the sheet, toasts -------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  on("click", "[data-opens]", (button) => document.getElementById(button.dataset.opens).showModal());
  on("click", "dialog", (dialog, event) => { if (event.target === dialog) dialog.close(); });
  on("click", "[data-dismiss]", (button) => button.closest(".toast").remove());

  function passToasts() {
    for (const toast of all(".toast[data-passes]")) {
      toast.removeAttribute("data-passes");
      // Whoever is reading it or has the focus in it keeps it.
      const go = () => (toast.matches(":hover, :focus-within") ? setTimeout(go, 1000) : toast.remove());
      setTimeout(go, PASSES_AFTER);
    }
  }

  // -- Colours ------------------------------------------------------------------------------------------------------------

  on("submit", "[data-theme-form]", (form, event) => {
    const chosen = event.submitter?.value;
    if (!chosen) return;
    event.preventDefault();
    const system = chosen === "system";
    if (system) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${chosen}; Path=/; SameSite=Lax; Max-Age=${system ? 0 : YEAR}${secure}`;
    for (const button of all("[data-theme-form] button")) button.setAttribute("aria-pressed", String(button.value === chosen));
  });

  // -- Forms --------------------------------------------------------------------------------------------------------------

  // Whatever is being sent is not checked field by field any more: the page may be closed by the time that is asked (set-up is).
  // Only for a while: the answer may be a file, and the form stays.
  const SENT_FOR = 5000;
  on("submit", "form:not([hx-post])", (form, event) => {
    if (event.defaultPrevented) return;
    form.dataset.sent = "";
    setTimeout(() => delete form.dataset.sent, SENT_FOR);
    // A form that asks another server says so, and is not sent twice; if the page comes back from history it can be sent again.
    const button = form.dataset.busy && event.submitter;
    if (!button) return;
    const label = button.textContent;
    setTimeout(() => Object.assign(button, { disabled: true, textContent: form.dataset.busy }));
    addEventListener("pageshow", () => Object.assign(button, { disabled: false, textContent: label }), { once: true });
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.closest?.("form[data-sent]")) event.preventDefault();
  });

  on("click", "[data-add-line]", (button) => {
    const inputs = all("input", button.parentElement);
    const last = inputs.at(-1);
    const next = last.cloneNode();
    next.value = "";
    next.id = last.id.replace(/\d+$/, String(inputs.length));
    next.setAttribute("aria-label", last.getAttribute("aria-label").replace(/\d+$/, String(inputs.length + 1)));
    button.before(next);
    window.htmx?.process(next);
    next.focus();
  });

  // A short name suggests itself from the long one, until somebody types his own.
  const asSlug = (text) =>
    text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40).replace(/-$/, "");

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-slug-of]")) event.target.dataset.own = event.isTrusted ? "1" : "";
    for (const slug of all("[data-slug-of]")) {
      if (!event.target.matches(slug.dataset.slugOf) || slug.dataset.own) continue;
      slug.value = asSlug(event.target.value);
      slug.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });

  on("click", "[data-copy]", async (button) => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
    const label = button.querySelector("[data-copied]");
    if (label) label.textContent = label.dataset.copied;
  });

  function guessZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    for (const select of all("select[data-guess-zone]")) {
      if (select.value === "UTC" && [...select.options].some((option) => option.value === zone)) select.value = zone;
    }
  }

  // A field whose check came back says so to screen readers too.
  document.addEventListener("htmx:afterSwap", (event) => {
    const id = event.target.id;
    if (!id.endsWith("_check")) return;
    const bad = Boolean(event.target.querySelector(".errorlist"));
    for (const input of all("input, select, textarea", event.target.closest(".field"))) {
      if (bad) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  });

  // What the server suggests for a field goes into it, unless somebody has typed there meanwhile.
  function fillIn() {
    for (const found of all("[data-fills]")) {
      const field = document.querySelector(found.dataset.fills);
      if (field.value.trim() === found.dataset.was) field.value = found.dataset.value;
      found.remove();
    }
  }

  // -- Start --------------------------------------------------------------------------------------------------------------

  function begin() {
    passToasts();
    guessZone();
    for (const button of all("[data-add-line]")) button.hidden = false;
    for (const box of all("[data-keys-switch]")) box.checked = !kept.get(KEYS_OFF);
    document.querySelector("[data-focus]")?.focus();
  }

  begin();
  document.addEventListener("htmx:load", passToasts);
  document.addEventListener("htmx:oobAfterSwap", fillIn);
})();
