// Emails: a thread opened in its list is closed by the same click, and a frame is as high as its text.
"use strict";

(() => {
  const inside = (link) => {
    const next = link.closest("li").nextElementSibling;
    return next?.classList.contains("thread-inside") ? next : null;
  };

  function close(slot) {
    const link = slot.previousElementSibling.querySelector(".row-link");
    slot.remove();
    link.setAttribute("aria-expanded", "false");
    link.focus({ preventScroll: true });
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    const link = event.target.closest?.(".threads .row-link");
    const open = link && inside(link);
    if (open) {
      event.preventDefault();
      close(open);
    }
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const link = event.target.closest?.(".threads .row-link");
    if (link && inside(link)) link.setAttribute("aria-expanded", "true");
  });

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-close-thread]");
    if (button) close(button.closest(".thread-inside"));
  });

  // The frame may not run scripts (sandbox without allow-scripts); it is of our origin, so its height can be read from here.
  function fit(frame) {
    const root = frame.contentDocument?.documentElement;
    if (!root || !frame.contentDocument.body) return;
    // What is wider than the frame brings a scroll bar, which takes its height from the text.
    const bar = () => frame.clientHeight - root.clientHeight;
    const measure = () => { frame.style.height = `${Math.ceil(root.getBoundingClientRect().height) + bar()}px`; };
    new ResizeObserver(measure).observe(root);
    measure();
  }

  function watch(within) {
    for (const frame of within.querySelectorAll("[data-mail-frame]:not([data-watched])")) {
      frame.dataset.watched = "1";
      frame.addEventListener("load", () => fit(frame));
      if (frame.contentDocument?.readyState === "complete") fit(frame);
    }
  }

  // The loaded element may be a frame itself, hence its parent.
  document.addEventListener("htmx:load", (event) => watch(event.target.parentElement ?? document));
  watch(document);
})();
