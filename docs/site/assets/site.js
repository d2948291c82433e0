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
// What is moved sideways can be reached and moved by keys.
const reachable = () => {
  for (const part of document.querySelectorAll("pre > code, .md-typeset__scrollwrap")) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
};
addEventListener("resize", reachable);
addEventListener("load", reachable);
reachable();
