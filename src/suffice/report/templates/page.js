const themes = JSON.parse(document.getElementById("themes").textContent);
const night = matchMedia("(prefers-color-scheme: dark)");
const charts = [...document.querySelectorAll(".chart")].map((place) => {
  const spec = JSON.parse(place.firstElementChild.textContent);
  const canvas = place.appendChild(document.createElement("div"));
  canvas.style.width = "100%";
  return { spec, canvas, view: null };
});
async function draw(dark) {
  const config = themes[dark ? "dark" : "light"];
  for (const chart of charts) {
    if (chart.view) chart.view.finalize();
    chart.view = await vegaEmbed(chart.canvas, chart.spec, {
      config, renderer: "svg", actions: false, tooltip: { theme: dark ? "dark" : "light" },
    });
  }
}
night.addEventListener("change", () => draw(night.matches));
addEventListener("beforeprint", () => draw(false));
addEventListener("afterprint", () => draw(night.matches));
draw(night.matches);
