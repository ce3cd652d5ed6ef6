"use strict";
(() => {
  const mark = document.getElementById("connection");
  let version = null, busy = false, again = false;

  // An element becomes like another one in place, rows by their ids: focus, marked text, what is ticked,
  // opened or scrolled stays as it is.
  const alter = (now, then) => {
    if (now.nodeName !== then.nodeName) { now.replaceWith(then); return; }
    if (now.nodeType !== Node.ELEMENT_NODE) { if (now.nodeValue !== then.nodeValue) now.nodeValue = then.nodeValue; return; }
    for (const {name} of [...now.attributes]) if (name !== "open" && !then.hasAttribute(name)) now.removeAttribute(name);
    for (const {name, value} of then.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
    const wanted = [...then.childNodes], ids = new Set(wanted.map(idOf));
    const known = new Map([...now.childNodes].filter(idOf).map(each => [idOf(each), each]));
    let place = now.firstChild;
    const pass = () => { const passed = place; place = place.nextSibling; return passed; };
    for (const each of wanted) {
      while (place && idOf(place) && !ids.has(idOf(place))) pass().remove();
      const same = idOf(each) ? known.get(idOf(each)) : place && !idOf(place) ? place : undefined;
      if (!same) { now.insertBefore(each, place); continue; }
      if (same === place) pass(); else now.insertBefore(same, place);
      alter(same, each);
    }
    while (place) pass().remove();
  };
  const idOf = node => node.dataset?.id;

  // What is live is fetched anew when the server tells of a new version; where the user is stays.
  const renew = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, {headers: {accept: "text/html"}});
      if (answer.ok || answer.status === 404) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = document.querySelectorAll(".live"), then = fresh.querySelectorAll(".live");
        const focus = document.activeElement, at = rows().indexOf(here);
        if (now.length === then.length) now.forEach((each, i) => alter(each, then[i]));
        if (focus.isConnected && document.activeElement !== focus) focus.focus({preventScroll: true});
        if (here && !here.isConnected) here = rows()[Math.min(at, rows().length - 1)] ?? null;  // it is gone: that in its place
        here?.classList.add("here");
        document.documentElement.dataset.renewed = String(Number(document.documentElement.dataset.renewed || 0) + 1);
      }
    } catch { /* the server is gone: the mark says so */ }
    busy = false;
    const isPart = document.querySelector(".live[data-again]");  // more of it is being read
    if (again || isPart) { again = false; setTimeout(renew, isPart ? 1000 : 500); }
  };

  if (document.querySelector(".live")) {
    // A browser opens six connections to a host: tabs that nobody sees hold none of them.
    let source = null;
    const leave = () => { source?.close(); source = null; };
    const follow = () => {
      if (source || document.hidden) return;
      source = new EventSource("/events");
      source.addEventListener("version", event => {
        const told = JSON.parse(event.data).version;
        if (version !== null && told !== version) setTimeout(renew, 200 * Math.random());  // not all who follow at once
        version = told;
        mark.textContent = "●"; mark.title = "live"; mark.className = "on";
      });
      source.addEventListener("error", () => {
        mark.textContent = "○"; mark.title = "disconnected"; mark.className = "";
      });
    };
    document.addEventListener("visibilitychange", () => document.hidden ? leave() : follow());
    addEventListener("pagehide", leave);
    addEventListener("pageshow", follow);
    follow();
    if (document.querySelector(".live[data-again]")) setTimeout(renew, 1000);
  }

  // Keys.
  let here = null, went = false;
  const rows = () => [...document.querySelectorAll("main tbody tr")].filter(row => row.querySelector("a.id"));
  const select = row => {
    if (!row) return;
    if (here) here.classList.remove("here");
    here = row; row.classList.add("here"); row.scrollIntoView({block: "nearest"});
  };
  const step = by => {
    const all = rows(), at = all.indexOf(here);
    select(all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))]);
  };
  const places = {o: "/", t: "/tasks", r: "/runs", g: "/graph", s: "/sweep"};
  const keys = {
    "/": () => document.querySelector("form[role=search] input")?.focus(),
    "j": () => step(1),
    "k": () => step(-1),
    "Enter": () => here?.querySelector("a.id").click(),
    "x": () => { const box = here?.querySelector("input[type=checkbox]"); if (box) box.checked = !box.checked; },
    "c": () => document.querySelector("form[action='/compare']")?.requestSubmit(),
    "?": () => document.getElementById("keys").showModal(),
  };
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
    if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
    if (went && places[event.key]) { went = false; location.href = places[event.key]; event.preventDefault(); return; }
    went = event.key === "g";
    const act = keys[event.key];
    if (act) { act(); event.preventDefault(); }
  });

  // Empty fields are no part of an address.
  document.querySelectorAll("form.filters").forEach(form => form.addEventListener("submit", () => {
    form.querySelectorAll("input, select").forEach(each => { if (!each.value) each.disabled = true; });
  }));
  addEventListener("pageshow", () => document.querySelectorAll("form.filters :disabled").forEach(each => { each.disabled = false; }));

  // Lines from axis to axis: brushes intersect, the table below has exactly the rows that are lit.
  document.querySelectorAll("svg[data-axes]").forEach(picture => {
    const axes = JSON.parse(picture.dataset.axes), brushes = new Map();
    const lines = [...picture.querySelectorAll(".row")];
    const heights = lines.map(line => JSON.parse(line.dataset.heights));
    const table = [...document.querySelectorAll("[data-lines] tbody tr")], count = document.querySelector("[data-lit]");
    const top = Number(picture.dataset.top), tall = Number(picture.dataset.tall);
    const light = () => {
      let lit = 0;
      lines.forEach((line, i) => {
        const on = [...brushes].every(([axis, [low, high]]) => heights[i][axis] >= low && heights[i][axis] <= high);
        line.classList.toggle("off", !on);
        if (table[i]) table[i].classList.toggle("off", !on);
        lit += on;
      });
      count.textContent = `${lit} of ${lines.length} rows`; count.dataset.lit = lit;
    };
    const at = event => {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
      return (top + tall - place.y) / tall;
    };
    const draw = axis => {
      const box = picture.querySelector(`.brush[data-axis="${axis}"]`), range = brushes.get(axis);
      box.setAttribute("y", range ? top + tall - range[1] * tall : 0);
      box.setAttribute("height", range ? Math.max(1, (range[1] - range[0]) * tall) : 0);
      light();
    };
    picture.querySelectorAll(".hit").forEach(hit => {
      const axis = Number(hit.dataset.axis);
      let start = null;
      hit.addEventListener("pointerdown", event => { start = at(event); hit.setPointerCapture(event.pointerId); });
      hit.addEventListener("pointermove", event => {
        if (start === null) return;
        const now = at(event);
        if (Math.abs(now - start) < .01) return;
        brushes.set(axis, [Math.min(start, now), Math.max(start, now)]); draw(axis);
      });
      hit.addEventListener("pointerup", event => {
        if (start !== null && Math.abs(at(event) - start) < .01) { brushes.delete(axis); draw(axis); }
        start = null;
      });
      hit.addEventListener("dblclick", () => { brushes.clear(); axes.forEach((_, n) => draw(n)); });
    });
  });
})();
