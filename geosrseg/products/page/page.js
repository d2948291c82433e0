"use strict";
// Coordinates: pixels of the class map on the ground, CSS pixels on the screen.
const data = JSON.parse(document.getElementById("data").textContent);
const canvas = document.getElementById("view");
const swipe = document.getElementById("swipe");
const pen = canvas.getContext("2d");
const view = { x: data.width / 2, y: data.height / 2, zoom: 1, swipe: 0.5 };
const MAX_ZOOM = 16;
const KEPT = 160; // tiles in memory
const hidden = new Set();
let painted = 0; // counts the changes of the legend

// Tiles: decoded when first needed; the least recently used one is dropped.
const tiles = new Map();

function tile(kind, level, index) {
  const key = `${kind} ${level} ${index}`;
  let found = tiles.get(key);
  if (found) {
    tiles.delete(key); // set again below, as the most recently used
  } else {
    found = { picture: null };
    const text = data[kind][level].tiles[index];
    (kind === "scene" ? decodePicture(text) : decodeLabels(text)).then((decoded) => {
      Object.assign(found, decoded);
      redraw();
    });
    if (tiles.size >= KEPT) tiles.delete(tiles.keys().next().value);
  }
  tiles.set(key, found);
  return found;
}

async function decodePicture(text) {
  const picture = new Image();
  picture.src = `data:image/jpeg;base64,${text}`;
  await picture.decode();
  return { picture };
}

async function decodeLabels(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return { labels: new Uint8Array(await new Response(stream).arrayBuffer()) };
}

// A tile of the class map in the legend's colours, without hidden classes.
function paint(found, width, height) {
  if (found.labels && found.painted !== painted) {
    const picture = document.createElement("canvas");
    picture.width = width;
    picture.height = height;
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const colours = new Uint32Array(256);
    const bytes = new Uint8Array(colours.buffer);
    for (const item of data.classes) {
      if (!hidden.has(item.id)) bytes.set([...item.rgb, 255], 4 * item.id);
    }
    found.labels.forEach((label, place) => { pixels[place] = colours[label]; });
    picture.getContext("2d").putImageData(image, 0, 0);
    found.picture = picture;
    found.painted = painted;
  }
  return found.picture;
}

// The level to show: the coarsest with at least one pixel per pixel of the screen.
function levelFor(levels) {
  const wanted = view.zoom * devicePixelRatio;
  const enough = levels.findIndex((level) => data.width / level.width * wanted <= 1.01);
  return enough < 0 ? levels.length - 1 : enough;
}

// A level is drawn once all its visible tiles are decoded; until then the level shown last, or
// the coarsest. Only one level is drawn, so that the scene shows through hidden classes.
const shown = { scene: 0, map: 0 };

function drawPicture(kind) {
  if (!data[kind].length) return;
  for (const number of [levelFor(data[kind]), shown[kind], 0]) {
    const parts = inSight(kind, number);
    if (parts.every((part) => part.picture)) {
      const level = data[kind][number];
      pen.imageSmoothingEnabled = data.width / level.width * view.zoom * devicePixelRatio < 1;
      for (const { picture, x, y, right, bottom } of parts) {
        pen.drawImage(picture, x, y, right - x, bottom - y);
      }
      shown[kind] = number;
      return;
    }
  }
}

// The visible tiles of a level, in whole device pixels so that there are no seams between them.
function inSight(kind, number) {
  const level = data[kind][number];
  const across = data.width / level.width, down = data.height / level.height;
  const columns = Math.ceil(level.width / data.tile);
  const scale = view.zoom * devicePixelRatio;
  const screenX = (x) => Math.round((x * across - view.x) * scale + canvas.width / 2);
  const screenY = (y) => Math.round((y * down - view.y) * scale + canvas.height / 2);
  const parts = [];
  level.tiles.forEach((_, index) => {
    const col = index % columns * data.tile, row = Math.floor(index / columns) * data.tile;
    const width = Math.min(data.tile, level.width - col);
    const height = Math.min(data.tile, level.height - row);
    const x = screenX(col), right = screenX(col + width);
    const y = screenY(row), bottom = screenY(row + height);
    if (right <= 0 || x >= canvas.width || bottom <= 0 || y >= canvas.height) return;
    const found = tile(kind, number, index);
    const picture = kind === "map" ? paint(found, width, height) : found.picture;
    parts.push({ picture, x, y, right, bottom });
  });
  return parts;
}

let waiting = false;

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

function draw() {
  const ratio = devicePixelRatio;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  pen.clearRect(0, 0, width, height);
  drawPicture("scene");
  const split = Math.round(view.swipe * width);
  pen.save();
  pen.beginPath();
  pen.rect(split, 0, width - split, height);
  pen.clip();
  drawPicture("map");
  pen.restore();
  drawScale();
}

function drawScale() {
  const bar = document.getElementById("scale");
  bar.hidden = !data.metres;
  if (!data.metres) return;
  const metres = 110 * data.metres / view.zoom;
  const power = 10 ** Math.floor(Math.log10(metres));
  const length = [5, 2, 1].find((step) => step * power <= metres) * power;
  const text = length < 1000 ? `${length} m` : `${length / 1000} km`;
  const line = document.createElement("span");
  line.style.width = `${length / data.metres * view.zoom}px`;
  bar.replaceChildren(text, line);
}

// Moving
function zoomLimits() {
  const all = Math.min(canvas.clientWidth / data.width, canvas.clientHeight / data.height);
  return [Math.min(all, 1), Math.max(MAX_ZOOM, all)];
}

function moveTo(x, y, zoom) {
  const [least, most] = zoomLimits();
  view.zoom = Math.min(Math.max(zoom, least), most);
  view.x = Math.min(Math.max(x, 0), data.width);
  view.y = Math.min(Math.max(y, 0), data.height);
  redraw();
}

// Zoom around a point of the screen, which stays in place.
function zoomAt(clientX, clientY, factor) {
  const box = canvas.getBoundingClientRect();
  const dx = clientX - box.left - box.width / 2, dy = clientY - box.top - box.height / 2;
  const before = view.zoom;
  const [least, most] = zoomLimits();
  const after = Math.min(Math.max(before * factor, least), most);
  moveTo(view.x + dx / before - dx / after, view.y + dy / before - dy / after, after);
}

function zoomBy(factor) {
  moveTo(view.x, view.y, view.zoom * factor);
}

function fit() {
  const all = Math.min(canvas.clientWidth / data.width, canvas.clientHeight / data.height);
  moveTo(data.width / 2, data.height / 2, all);
}

function setSwipe(share) {
  view.swipe = Math.min(Math.max(share, 0), 1);
  swipe.style.left = `${100 * view.swipe}%`;
  const percent = Math.round(100 * view.swipe);
  swipe.setAttribute("aria-valuenow", percent);
  swipe.setAttribute("aria-valuetext", `${percent} % scene, ${100 - percent} % class map`);
  redraw();
}

// Pointers: one moves the map, two zoom it.
const pointers = new Map();

function spread() {
  const [a, b] = [...pointers.values()];
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, size: Math.hypot(a.x - b.x, a.y - b.y) || 1 };
}

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
});
canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const here = { x: event.clientX, y: event.clientY };
  if (pointers.size === 1) {
    moveTo(view.x - (here.x - before.x) / view.zoom, view.y - (here.y - before.y) / view.zoom, view.zoom);
    pointers.set(event.pointerId, here);
  } else if (pointers.size === 2) {
    const old = spread();
    pointers.set(event.pointerId, here);
    const now = spread();
    zoomAt(now.x, now.y, now.size / old.size);
    moveTo(view.x - (now.x - old.x) / view.zoom, view.y - (now.y - old.y) / view.zoom, view.zoom);
  }
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, (event) => pointers.delete(event.pointerId));
}
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
  zoomAt(event.clientX, event.clientY, Math.exp(-event.deltaY * lines * 0.0015));
}, { passive: false });
canvas.addEventListener("dblclick", (event) => zoomAt(event.clientX, event.clientY, 2));

swipe.addEventListener("pointerdown", (event) => {
  swipe.setPointerCapture(event.pointerId);
  swipe.focus();
  event.preventDefault();
});
swipe.addEventListener("pointermove", (event) => {
  if (!swipe.hasPointerCapture(event.pointerId)) return;
  const box = canvas.getBoundingClientRect();
  setSwipe((event.clientX - box.left) / box.width);
});

// Keys
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function zoomKey(key) {
  if (key === "+" || key === "=") zoomBy(1.5);
  else if (key === "-" || key === "−") zoomBy(1 / 1.5);
  else if (key === "0") fit();
  else return false;
  return true;
}

swipe.addEventListener("keydown", (event) => {
  const step = event.shiftKey ? 0.1 : 0.02;
  const arrow = ARROWS[event.key];
  if (arrow) setSwipe(view.swipe + step * (arrow[0] - arrow[1]));
  else if (event.key === "PageUp") setSwipe(view.swipe + 0.1);
  else if (event.key === "PageDown") setSwipe(view.swipe - 0.1);
  else if (event.key === "Home") setSwipe(0);
  else if (event.key === "End") setSwipe(1);
  else if (!zoomKey(event.key)) return;
  event.preventDefault();
});
canvas.addEventListener("keydown", (event) => {
  const arrow = ARROWS[event.key];
  const step = 60 / view.zoom;
  if (arrow) moveTo(view.x + step * arrow[0], view.y + step * arrow[1], view.zoom);
  else if (!zoomKey(event.key)) return;
  event.preventDefault();
});
document.getElementById("in").addEventListener("click", () => zoomBy(1.5));
document.getElementById("out").addEventListener("click", () => zoomBy(1 / 1.5));
document.getElementById("fit").addEventListener("click", fit);

// The scene shows through hidden classes.
document.getElementById("legend").addEventListener("change", (event) => {
  const id = Number(event.target.value);
  if (event.target.checked) hidden.delete(id);
  else hidden.add(id);
  painted++;
  redraw();
});

new ResizeObserver(redraw).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
fit();
setSwipe(data.scene.length ? 0.5 : 0);
