"use strict";
// The live page: newer parts take the place of older ones as the server sends them. What a person is at (an open
// list, a focus, a selection, the zoom and the cursor of the charts) stays as it is.
(() => {
  const waiting = new Map(); // parts that come while something in their place is selected
  const status = document.createElement("p");
  let source = null;
  let over = false;

  const say = (text, kind) => {
    status.textContent = text;
    status.className = `live ${kind}`;
  };
  const isSelected = (place) => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed && place.contains(selection.anchorNode);
  };

  function replace(ident, html) {
    if (ident === "data") {
      document.getElementById("data").textContent = html;
      return;
    }
    const place = document.getElementById(`s-${ident}`);
    if (!place) return;
    if (isSelected(place)) {
      waiting.set(ident, html);
      return;
    }
    waiting.delete(ident);
    const open = [...place.querySelectorAll("details")].map((each) => each.open);
    const focus = place.contains(document.activeElement) ? pathTo(place, document.activeElement) : null;
    place.innerHTML = html;
    [...place.querySelectorAll("details")].forEach((each, number) => { each.open = open[number] || false; });
    return focus && (() => {
      const element = focus.reduce((at, number) => at && at.children[number], place);
      if (element) element.focus({preventScroll: true});
    });
  }
  function pathTo(place, element) {
    const path = [];
    for (let at = element; at !== place; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
    return path;
  }

  // A section that was empty when the page was loaded has no link yet.
  function link() {
    const list = document.querySelector("nav ul");
    for (const place of document.querySelectorAll("main > .part")) {
      const title = place.querySelector("h2");
      if (!title || list.querySelector(`a[href="#${place.id}"]`)) continue;
      const item = document.createElement("li"), anchor = document.createElement("a");
      anchor.href = `#${place.id}`;
      anchor.textContent = title.textContent;
      item.append(anchor);
      const order = [...document.querySelectorAll("main > .part")].map((each) => `#${each.id}`);
      const after = [...list.children].find(
        (each) => order.indexOf(each.firstElementChild.getAttribute("href")) > order.indexOf(anchor.getAttribute("href")));
      list.insertBefore(item, after || null);
    }
  }

  function take(parts) {
    const focuses = Object.entries(parts).map(([ident, html]) => replace(ident, html));
    window.squall.refresh();
    link();
    for (const focus of focuses) if (focus) focus();
  }

  function connect() {
    source = new EventSource("events");
    source.addEventListener("open", () => say("Live", "on"));
    source.addEventListener("parts", (event) => take(JSON.parse(event.data)));
    source.addEventListener("over", () => {
      over = true;
      source.close();
      say("The run is over: this page no longer changes.", "over");
    });
    source.addEventListener("error", () => {
      if (!over) say("No connection to the run; trying again.", "lost");
    });
  }

  status.setAttribute("role", "status");
  const now = document.createElement("div");
  now.id = "s-now";
  document.querySelector("header").prepend(status);
  document.getElementById("s-verdict").after(now);
  document.addEventListener("selectionchange", () => {
    if (waiting.size && document.getSelection().isCollapsed) take(Object.fromEntries(waiting));
  });
  // A page that nobody sees costs the run nothing.
  document.addEventListener("visibilitychange", () => {
    if (over) return;
    if (document.hidden) { source.close(); say("Paused while hidden.", "lost"); } else connect();
  });
  say("Connecting …", "lost");
  if (!document.hidden) connect();
})();
