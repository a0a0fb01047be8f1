// A file that is too large is said to be so before it is sent; without script the server says it afterwards.
"use strict";

for (const input of document.querySelectorAll("input[type=file][data-most-bytes]")) {
  const trouble = document.getElementById(input.getAttribute("aria-describedby").split(" ")[0]);
  const check = () => {
    const tooLarge = [...input.files].some((file) => file.size > Number(input.dataset.mostBytes));
    trouble.hidden = !tooLarge;
    if (tooLarge) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    return !tooLarge;
  };
  input.addEventListener("change", check);
  input.form.addEventListener("submit", (event) => {
    if (!check()) {
      event.preventDefault();
      input.focus();
    }
  });
}
