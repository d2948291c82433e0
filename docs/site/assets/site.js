// The start page's swipe: how much of the scene lies over the map.
for (const swipe of document.querySelectorAll(".swipe")) {
  const handle = swipe.querySelector("input");
  const show = () => {
    swipe.style.setProperty("--scene", `${handle.value}%`);
    handle.setAttribute("aria-valuetext", `${handle.value} % scene, ${100 - handle.value} % map`);
  };
  handle.addEventListener("input", show);
  show();
}
