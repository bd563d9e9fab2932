// What makes the page quicker to use: pictures are shown when they are chosen, answers come without a new page, lists follow the ticks.
// Without it every form still works, because the server writes whole pages.
"use strict";

const words = document.body.dataset;
const answer = document.getElementById("answer");
const form = document.querySelector("form");

function megabytes(file) { return file.size / 2 ** 20; }

function showError(line) {
  const head = document.createElement("h2"), text = document.createElement("p");
  head.textContent = words.error;
  head.tabIndex = -1;
  text.className = "error";
  text.setAttribute("role", "alert");
  text.textContent = line;
  answer.replaceChildren(head, text);
  head.focus();
}

function tooLarge(files) {
  const file = files.find(one => megabytes(one) > Number(words.megabytes));
  return file ? words.tooLarge.replace("{name}", file.name).replace("{size}", megabytes(file).toFixed(0)) : "";
}

function preview(input) {
  const chosen = input.parentElement.querySelector(".chosen"), files = Array.from(input.files);
  chosen.querySelectorAll("img").forEach(image => URL.revokeObjectURL(image.src));
  chosen.classList.toggle("several", files.length > 1);
  input.parentElement.classList.toggle("full", files.length > 0);
  chosen.replaceChildren(...files.slice(0, 40).map(file => {
    const figure = document.createElement("figure"), image = document.createElement("img"), name = document.createElement("figcaption");
    image.alt = "";
    image.onerror = () => image.remove();  // a kind that browsers do not show, or a broken file: the server says which
    image.src = URL.createObjectURL(file);
    name.textContent = file.name;
    figure.append(image, name);
    return figure;
  }));
}

async function ask(event) {
  event.preventDefault();
  const button = form.querySelector("button"), working = form.querySelector(".working");
  if (button.getAttribute("aria-busy") === "true") return;
  const files = Array.from(form.querySelectorAll("input[type=file]")).flatMap(input => Array.from(input.files));
  const refused = tooLarge(files);
  if (refused) return showError(refused);
  button.setAttribute("aria-busy", "true");
  working.textContent = working.dataset.text;
  working.hidden = false;
  try {
    const response = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    answer.replaceChildren(...page.getElementById("answer").childNodes);
    answer.querySelectorAll(".swipe input").forEach(swipe);
    answer.querySelector("h2").focus({ preventScroll: true });
    answer.scrollIntoView({ block: "nearest" });
    if (answer.getBoundingClientRect().top > innerHeight / 2 || answer.offsetHeight > innerHeight) answer.scrollIntoView();
  } catch {
    showError(words.offline);
  } finally {
    button.removeAttribute("aria-busy");
    working.hidden = true;
    working.textContent = "";
  }
}

function updateLists(changed) {
  const keep = document.getElementById("keep"), others = document.getElementById("others");
  const from = changed.checked ? others : keep, to = changed.checked ? keep : others;
  const lines = area => area.value.split("\n").filter(Boolean);
  from.value = lines(from).filter(name => name !== changed.dataset.file).join("\n");
  to.value = [...lines(to), changed.dataset.file].join("\n");
}

function swipe(slider) {
  slider.closest(".swipe").querySelector(".layers").style.setProperty("--place", slider.value + "%");
}

async function copy(button) {
  const area = document.getElementById(button.dataset.copy), text = button.textContent;
  try {
    await navigator.clipboard.writeText(area.value);
  } catch {  // browsers allow the clipboard only on this machine or over https
    area.select();
    document.execCommand("copy");
  }
  button.textContent = words.copied;
  setTimeout(() => { button.textContent = text; }, 1500);
}

if (form) form.addEventListener("submit", ask);
document.addEventListener("change", event => {
  if (event.target.matches("input[type=file]")) preview(event.target);
  if (event.target.matches("input.keep")) updateLists(event.target);
});
document.addEventListener("input", event => {
  if (event.target.matches(".swipe input")) swipe(event.target);
});
document.addEventListener("click", event => {
  const copied = event.target.closest("[data-copy]"), saved = event.target.closest("[data-download]");
  if (copied) copy(copied);
  if (saved) saved.href = "data:text/plain;charset=utf-8," + encodeURIComponent(document.getElementById(saved.dataset.download).value + "\n");
});
["dragover", "dragleave", "drop"].forEach(kind => document.addEventListener(kind, event => {
  const zone = event.target.closest && event.target.closest(".zone");
  if (zone) zone.classList.toggle("over", kind === "dragover");
  else if (kind !== "dragleave") event.preventDefault();  // a picture that is dropped beside a field must not replace the page
}));
document.querySelectorAll(".swipe input").forEach(swipe);
document.querySelectorAll("input[type=file]").forEach(input => { if (input.files.length) preview(input); });
