// Theme switch, and sorting, filtering and paging of the trade table.
"use strict";

const PAGE = 100;

function startTheme() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const name = () => {
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to the ${dark() ? "light" : "dark"} theme`);
  };
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    name();
    document.dispatchEvent(new Event("themechange"));
  });
  name();
  button.hidden = false;
}

// Missing values come last in both directions.
function compare(first, second, down) {
  if (first === second) return 0;
  if (first === null) return 1;
  if (second === null) return -1;
  return first < second === down ? 1 : -1;
}

class TradeTable {
  constructor(table, data) {
    this.table = table;
    this.body = table.tBodies[0];
    this.rows = [...Array.from(this.body.rows, (row) => row.outerHTML), ...data.rows];
    this.texts = this.rows.map((row) => row.replace(/<[^>]*>/g, " ").toLowerCase());
    this.data = data;
    this.sorted = { column: -1, down: false };
    this.page = 0;
    this.pager = document.getElementById("trades-pager");
    this.count = document.getElementById("trades-count");
    this.text = document.getElementById("trades-text");
    this.kind = document.getElementById("trades-kind");
  }
  start() {
    Array.from(this.table.tHead.rows[0].cells).forEach((cell, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = cell.textContent;
      button.addEventListener("click", () => this.sort(column));
      cell.replaceChildren(button);
    });
    for (const control of [this.text, this.kind]) control.addEventListener("input", () => this.show(0));
    document.getElementById("trades-controls").hidden = false;
    if (this.rows.length > PAGE) this.show(0);
  }
  sort(column) {
    this.sorted = { column, down: this.sorted.column === column && !this.sorted.down };
    Array.from(this.table.tHead.rows[0].cells).forEach((cell, index) =>
      cell.setAttribute("aria-sort", index !== column ? "none" : this.sorted.down ? "descending" : "ascending"));
    this.show(0);
  }
  chosen() {
    const words = this.text.value.toLowerCase().replace(/^#/, "").split(/\s+/).filter(Boolean);
    const kind = this.kind.value;
    const found = [];
    for (let row = 0; row < this.rows.length; row++) {
      if ((!kind || this.data.kinds[row].includes(kind)) && words.every((word) => this.texts[row].includes(word))) found.push(row);
    }
    const { column, down } = this.sorted;
    if (column >= 0) {
      const keys = this.data.keys[column];
      found.sort((first, second) => compare(keys[first], keys[second], down) || first - second);
    }
    return found;
  }
  show(page) {
    const found = this.chosen();
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    this.page = Math.min(Math.max(page, 0), pages - 1);
    const part = found.slice(this.page * PAGE, (this.page + 1) * PAGE);
    this.body.innerHTML = part.map((row) => this.rows[row]).join("");
    this.count.textContent = found.length === this.rows.length ? "" : `${found.length.toLocaleString("en-US")} of ${this.rows.length.toLocaleString("en-US")}`;
    this.showPager(pages);
  }
  showPager(pages) {
    const step = (text, page) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.disabled = page < 0 || page >= pages;
      button.addEventListener("click", () => this.show(page));
      return button;
    };
    this.pager.hidden = pages < 2;
    this.pager.replaceChildren(step("← Previous", this.page - 1), `Page ${this.page + 1} of ${pages}`, step("Next →", this.page + 1));
  }
}

async function startTrades() {
  const table = document.getElementById("trades-table");
  if (table && typeof DecompressionStream !== "undefined") new TradeTable(table, await unpackJson("trades-data")).start();
}

startTheme();
startTrades();
