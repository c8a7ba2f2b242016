// Every page works without this; it only shortens the way.
"use strict";

// The consumption beside a reading, as it is typed.
for (const field of document.querySelectorAll("input[data-last]")) {
  const told = field.closest("tr").querySelector("output");
  const language = document.documentElement.lang;
  field.addEventListener("input", () => {
    const text = field.value.replace(/\s/g, "").replace(",", ".");
    const value = /^\d+(\.\d*)?$/.test(text) ? Number(text) : NaN;
    const used = (value - Number(field.dataset.last)) * Number(field.dataset.ratio);
    told.textContent = used >= 0
      ? used.toLocaleString(language, { maximumFractionDigits: 3 }) : "—";
  });
}

// A file that is too large is told before it is sent.
for (const field of document.querySelectorAll("input[data-most]")) {
  const told = document.getElementById("file-problem");
  field.addEventListener("change", () => {
    const isTooLarge = field.files.length > 0 && field.files[0].size > Number(field.dataset.most);
    told.hidden = !isTooLarge;
    field.setCustomValidity(isTooLarge ? told.textContent : "");
  });
}
