"use strict";
(function () {
  const table = document.querySelector("#connections");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const cells = new Map(Array.from(document.querySelectorAll(".cell[data-row]"), (c) => [c.dataset.row, c]));
  const search = document.querySelector("#search");
  const said = document.querySelector("#shown");
  const buttons = Array.from(document.querySelectorAll(".states button"));
  const texts = new Map(rows.map((r) => [r, r.textContent.toLowerCase()]));

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const states = new Set(buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.state));
    let shown = 0;
    for (const row of rows) {
      const text = texts.get(row);
      const keep = states.has(row.dataset.state) && words.every((w) => text.includes(w));
      row.hidden = !keep;
      const cell = cells.get(row.id);
      if (cell) cell.hidden = !keep;
      if (keep) shown++;
    }
    said.textContent = shown + " of " + rows.length + " shown";
  }

  let timer = 0;
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(filter, 80); });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
      filter();
    });
  }

  function key(row, column) {
    const cell = row.cells[column];
    return cell.dataset.sort !== undefined ? Number(cell.dataset.sort) : cell.textContent.trim();
  }
  const order = new Intl.Collator(undefined, { numeric: true });
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = rows.map((row) => [key(row, column), row]);
      keyed.sort((a, b) => (typeof a[0] === "number" ? a[0] - b[0] : order.compare(a[0], b[0])) * (down ? -1 : 1));
      body.append(...keyed.map((k) => k[1]));
    });
  });

  function reveal() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
    if (target && target.hidden) { search.value = ""; buttons.forEach((b) => b.setAttribute("aria-pressed", "true")); filter(); target.scrollIntoView(); }
  }
  addEventListener("hashchange", reveal);
  reveal();
  document.querySelectorAll(".js").forEach((e) => { e.hidden = false; });
  filter();
})();
