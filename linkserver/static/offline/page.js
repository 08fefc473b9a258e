// The offline page: takes a code from the camera, a picture or a text field, and shows the verdict. All words stand in
// the page itself, in its language.

import { check } from "./codes.js";
import { load } from "./lists.js";

const LOOK_EVERY = 200; // ms
const find = (id) => document.getElementById(id);
const app = find("check");
const language = document.documentElement.lang;
let lists = {};
let stream = null;

async function refresh() {
  lists = await load(JSON.parse(app.dataset.lists), JSON.parse(app.dataset.hc1), language);
  find("age").textContent = lists.keys ? app.dataset.age.replace("{age}", lists.age) : app.dataset.none;
  find("age").hidden = false;
}

function dated(day) {
  const read = new Date(`${day}T00:00:00`);
  return /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(read.getTime())
    ? read.toLocaleDateString(language, { day: "numeric", month: "long", year: "numeric" })
    : String(day ?? "");
}

function copy(id, values = {}) {
  const made = find(id).content.cloneNode(true);
  for (const [name, value] of Object.entries(values)) made.querySelector(`[data-is="${name}"]`).textContent = value;
  return made;
}

function doseWords({ number, total }) {
  if (!number) return app.dataset.dose;
  const words = total >= number ? app.dataset.doseOf : app.dataset.doseOnly;
  return words.replace("{number}", number).replace("{total}", total);
}

function show(found) {
  const names = JSON.parse(app.dataset.vaccines);
  const parts = [copy(`verdict-${found.verdict}`)];
  if (found.doses) {
    parts.push(copy("held", { name: found.name, born: dated(found.birthDate) }));
    for (const dose of found.doses) {
      const what = dose.vaccine ?? names[dose.code] ?? app.dataset.vaccine.replace("{code}", dose.code);
      parts.push(copy("dose", { words: doseWords(dose), day: dated(dose.day), what }));
    }
  }
  if (found.doses) parts.push(copy("listed", { age: app.dataset.age.replace("{age}", lists.age) }));
  if (found.verdict === "valid" && lists.isOld) parts.splice(1, 0, copy("old"));
  find("result").replaceChildren(...parts);
  find("result").scrollIntoView({ block: "start" });
}

async function judge(text) {
  if (!text.trim()) return say("missing");
  say("");
  show(await check(text, { ours: app.dataset.ours, now: Date.now(), ...lists }));
}

function say(problem) {
  for (const line of document.querySelectorAll("[data-problem]")) line.hidden = line.dataset.problem !== problem;
  if (problem) find("result").replaceChildren();
  find("code").toggleAttribute("aria-invalid", problem === "missing");
}

find("text").addEventListener("submit", (event) => {
  event.preventDefault(); // the code stays in this page
  judge(find("code").value);
});

find("clear").addEventListener("click", () => {
  find("code").value = "";
  find("result").replaceChildren();
  find("code").focus();
});

async function detector() {
  if (!("BarcodeDetector" in window)) return null;
  const formats = await window.BarcodeDetector.getSupportedFormats().catch(() => []);
  return formats.includes("qr_code") ? new window.BarcodeDetector({ formats: ["qr_code"] }) : null;
}

async function offerCamera(eyes) {
  find("no-scan").hidden = Boolean(eyes);
  if (!eyes) return;
  find("picture-part").hidden = false;
  find("picture").addEventListener("change", (event) => look(eyes, event.target.files[0]));
  if (!navigator.mediaDevices?.getUserMedia) return;
  find("camera-part").hidden = false;
  find("judge").className = "plain"; // one main button a page
  find("camera").addEventListener("click", () => (stream ? close() : open(eyes)));
}

async function look(eyes, file) {
  if (!file) return;
  try {
    const picture = await createImageBitmap(file);
    const codes = await eyes.detect(picture);
    picture.close();
    if (codes.length) await judge(best(codes));
    else say("no-code");
  } catch {
    say("no-picture");
  }
}

function best(codes) {
  const texts = codes.map((code) => code.rawValue);
  return texts.find((text) => /^(hc1:|shc:\/)/i.test(text)) ?? texts[0];
}

async function open(eyes) {
  const video = find("video");
  find("camera").disabled = true; // until the question of the browser is answered
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  } catch {
    return say("no-camera");
  } finally {
    find("camera").disabled = false;
  }
  say("");
  video.srcObject = stream;
  video.hidden = false;
  find("camera").textContent = app.dataset.stop;
  await video.play();
  const again = async () => {
    if (!stream) return;
    const codes = await eyes.detect(video).catch(() => []);
    if (!stream) return;
    if (!codes.length) return setTimeout(again, LOOK_EVERY);
    close();
    await judge(best(codes));
  };
  await again();
}

function close() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  find("video").srcObject = null;
  find("video").hidden = true;
  find("camera").textContent = app.dataset.start;
}

document.addEventListener("visibilitychange", () => document.hidden && close());
window.addEventListener("online", refresh);
find("refresh").addEventListener("click", refresh);

app.hidden = false;
find("without").hidden = true;
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/verify/worker.js", { scope: "/verify" });
detector().then(offerCamera);
refresh();
