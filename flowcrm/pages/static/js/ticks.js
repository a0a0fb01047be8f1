// A table of ticks: one box for all of them, and a button that says how many there are. Without this the boxes work one by one.
"use strict";

(() => {
  for (const form of document.querySelectorAll("[data-ticks]")) {
    const boxes = () => [...form.querySelectorAll("[data-tick]")];
    const everyone = form.querySelector("[data-tick-all]");
    const button = form.querySelector("[data-tick-button]");

    const count = () => {
      const ticked = boxes().filter((box) => box.checked).length;
      const { none, one, many } = button.dataset;
      button.textContent = ticked === 0 ? none : ticked === 1 ? one : many.replace("{n}", String(ticked));
      button.disabled = ticked === 0;
      everyone.checked = ticked > 0 && ticked === boxes().length;
      everyone.indeterminate = ticked > 0 && !everyone.checked;
    };

    everyone.hidden = false;
    everyone.addEventListener("change", () => {
      for (const box of boxes()) box.checked = everyone.checked;
      count();
    });
    form.addEventListener("change", count);
    count();
  }
})();
