"use strict";
// Draws charts, searches tables, moves the slider. All numbers stand in the page already.
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);

  document.documentElement.classList.add("scripted");

  // --- charts: drawn when they come near, and all of them before printing ---
  const drawn = new Set();
  const draw = (place) => {
    const spec = data.charts[place.dataset.chart];
    if (drawn.has(place)) return;
    drawn.add(place);
    window.vegaEmbed(place, spec, {
      actions: false, ast: true, config: data.config, mode: "vega-lite", renderer: "svg",
    }).then(() => {
      // The place itself is the image, with its words; its parts are none.
      place.firstElementChild.setAttribute("aria-hidden", "true");
      place.querySelector("svg").setAttribute("aria-hidden", "true");
      place.classList.add("drawn");
    });
  };
  const places = [...document.querySelectorAll("[data-chart]")];
  const isSeen = (place) => !place.closest("details:not([open])");
  const near = new IntersectionObserver((seen) => {
    for (const entry of seen) {
      if (entry.isIntersecting && isSeen(entry.target)) {
        near.unobserve(entry.target);
        draw(entry.target);
      }
    }
  }, { rootMargin: "600px" });
  for (const place of places) {
    place.style.minHeight = `${data.charts[place.dataset.chart].height + 50}px`;
    near.observe(place);
  }
  document.addEventListener("toggle", (event) => {
    if (event.target.open) event.target.querySelectorAll("[data-chart]").forEach(draw);
  }, true);

  // --- printing: folds open, charts there ---
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((fold) => { fold.open = true; });
    places.forEach(draw);
  });
  window.addEventListener("afterprint", () => {
    opened.forEach((fold) => { fold.open = false; });
    opened = [];
  });

  // --- search ---
  document.querySelectorAll(".search").forEach((box) => {
    const input = box.querySelector("input");
    const count = box.querySelector("[data-count]");
    const rows = [...document.querySelectorAll(`[data-search="${input.dataset.for}"] > tr`)];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    box.hidden = false;
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, place) => {
        row.hidden = !words.every((word) => texts[place].includes(word));
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = words.length ? `${shown} of ${rows.length} shown` : `${rows.length} shown`;
    });
  });

  // --- threshold explorer ---
  document.querySelectorAll(".explorer").forEach((box, number) => {
    const points = data.thresholds[number];
    const slider = box.querySelector("input");
    const show = () => {
      const point = points[Number(slider.value)];
      slider.setAttribute("aria-valuetext", point.mark ? `${point.threshold}, ${point.mark}` : point.threshold);
      box.querySelectorAll("[data-point]").forEach((place) => {
        place.textContent = point[place.dataset.point] ?? "";
      });
    };
    box.querySelector(".slider").hidden = false;
    slider.value = box.dataset.start;
    slider.addEventListener("input", show);
    box.querySelectorAll("[data-place]").forEach((button) => {
      button.addEventListener("click", () => {
        slider.value = button.dataset.place;
        show();
      });
    });
    show();
  });

  // --- links within the page: the frame in which MLflow shows it follows none by itself ---
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link) document.getElementById(link.hash.slice(1))?.scrollIntoView();
  });

  // --- contents: where one is ---
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const within = new IntersectionObserver((seen) => {
    for (const entry of seen) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  document.querySelectorAll("main > section").forEach((section) => within.observe(section));
})();
