// The interactive chart. Reads the packed blocks of the page, draws price, equity and drawdown in three panes, and
// marks trades on the price: a triangle at the entry, a dot or square at the exit, stop and target between them.
"use strict";

const LABELS_MAX = 50;
const TRADE_MARGIN = 40;

async function unpack(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function unpackJson(id) {
  return JSON.parse(new TextDecoder().decode(await unpack(id)));
}

function columnsOf(buffer, rows) {
  const steps = new DataView(buffer);
  const columns = [];
  for (let start = 0; start < buffer.byteLength; start += rows * 4) {
    const column = new Float64Array(rows);
    let value = 0;
    for (let row = 0; row < rows; row++) {
      value += steps.getInt32(start + row * 4, true);
      column[row] = value;
    }
    columns.push(column);
  }
  return columns;
}

function lastAtOrBefore(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function palette() {
  return Object.fromEntries(["page", "text", "soft", "rule", "grid", "accent", "gain", "loss", "candle"].map((name) => [name, colour(name)]));
}

// Draws the trades in view on the price pane.
class TradeMarks {
  constructor(trades, paint) {
    this.trades = trades;
    this.paint = paint;
    this.chosen = -1;
  }
  attached({ chart, series, requestUpdate }) {
    this.chart = chart;
    this.series = series;
    this.update = requestUpdate;
  }
  paneViews() {
    return [{ zOrder: () => "top", renderer: () => ({ draw: (target) => target.useMediaCoordinateSpace((space) => this.draw(space)) }) }];
  }
  draw({ context, mediaSize }) {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const inView = this.trades.filter((trade) => trade.exit >= range.from && trade.entry <= range.to);
    const labelled = inView.length < LABELS_MAX && mediaSize.width / Math.max(inView.length, 1) > 70;
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    const labels = [];
    if (inView.length > mediaSize.width / 2) {
      this.drawCrowd(context, inView, mediaSize);
      return;
    }
    const size = Math.min(5, Math.max(2, (0.3 * mediaSize.width) / Math.max(inView.length, 1)));
    for (const trade of inView) this.drawTrade(context, trade, size);
    if (labelled) for (const trade of inView) this.drawLabel(context, trade, labels);
  }
  // Too many to tell apart: only where they ended, as ticks along the foot of the pane.
  drawCrowd(context, trades, { width, height }) {
    const time = this.chart.timeScale();
    context.globalAlpha = 0.35;
    for (const trade of trades) {
      context.fillStyle = trade.net > 0 ? this.paint.gain : this.paint.loss;
      context.fillRect(time.logicalToCoordinate(trade.exit), height - 10, 1, 8);
    }
    context.globalAlpha = 1;
    context.fillStyle = this.paint.soft;
    context.textAlign = "right";
    context.fillText(`Zoom in to see ${trades.length.toLocaleString("en-US")} trades`, width - 10, height - 16);
  }
  place(trade) {
    const time = this.chart.timeScale();
    const y = (price) => (price === null ? null : this.series.priceToCoordinate(price));
    return {
      left: time.logicalToCoordinate(trade.entry), right: time.logicalToCoordinate(trade.exit),
      entry: y(trade.entryPrice), exit: y(trade.exitPrice), stop: y(trade.stop), target: y(trade.target),
    };
  }
  drawTrade(context, trade, size) {
    const at = this.place(trade);
    if (at.left === null || at.right === null || at.entry === null || at.exit === null) return;
    const look = trade.net > 0 ? this.paint.gain : this.paint.loss;
    if (at.right - at.left > 4) {
      stroke(context, at.left, at.entry, at.right, at.exit, look, [], trade.index === this.chosen ? 2 : 1);
      if (at.stop !== null) stroke(context, at.left, at.stop, at.right, at.stop, this.paint.loss, [5, 4], 1);
      if (at.target !== null) stroke(context, at.left, at.target, at.right, at.target, this.paint.gain, [1.5, 3], 1.5);
    }
    context.fillStyle = this.paint.text;
    triangle(context, at.left, at.entry, size, trade.side);
    context.fillStyle = look;
    if (trade.net > 0) disc(context, at.right, at.exit, size);
    else context.fillRect(at.right - size * 0.85, at.exit - size * 0.85, size * 1.7, size * 1.7);
    if (trade.index === this.chosen) ring(context, at.left, at.entry, size + 5, this.paint.accent);
  }
  drawLabel(context, trade, taken) {
    const at = this.place(trade);
    if (at.right === null || at.exit === null) return;
    const below = trade.side * (trade.net > 0 ? 1 : -1) < 0;
    const y = at.exit + (below ? 20 : -12);
    const width = context.measureText(trade.label).width;
    if (taken.some((other) => Math.abs(other.x - at.right) < (other.width + width) / 2 + 6 && Math.abs(other.y - y) < 14)) return;
    taken.push({ x: at.right, y, width });
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeStyle = this.paint.page;
    context.strokeText(trade.label, at.right, y);
    context.fillStyle = trade.net > 0 ? this.paint.gain : this.paint.loss;
    context.fillText(trade.label, at.right, y);
  }
}

function stroke(context, x1, y1, x2, y2, look, dash, width) {
  context.save();
  context.setLineDash(dash);
  context.lineWidth = width;
  context.strokeStyle = look;
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
  context.restore();
}

function triangle(context, x, y, size, side) {
  const tip = -side * size * 1.2;
  context.beginPath();
  context.moveTo(x, y + tip);
  context.lineTo(x - size, y - tip * 0.75);
  context.lineTo(x + size, y - tip * 0.75);
  context.fill();
}

function disc(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius * 0.95, 0, Math.PI * 2);
  context.fill();
}

function ring(context, x, y, radius, look) {
  context.lineWidth = 2;
  context.strokeStyle = look;
  context.beginPath();
  context.arc(x, y, radius, 0, Math.PI * 2);
  context.stroke();
}

function tradesOf(head, time) {
  return (head.trades || []).map(([number, side, entered, left, entryPrice, exitPrice, stop, target, net, text], index) => ({
    index, number, side, entryPrice, exitPrice, stop, target, net,
    entry: lastAtOrBefore(time, entered), exit: lastAtOrBefore(time, left), label: `#${number} ${text}`,
  }));
}

function layoutOf(paint) {
  return {
    layout: {
      background: { color: paint.page }, textColor: paint.soft, fontSize: 12, attributionLogo: true,
      fontFamily: getComputedStyle(document.body).fontFamily,
      panes: { separatorColor: paint.rule, separatorHoverColor: paint.grid, enableResize: true },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: paint.grid } },
    crosshair: { mode: 0, vertLine: { color: paint.soft, labelBackgroundColor: paint.soft }, horzLine: { color: paint.soft, labelBackgroundColor: paint.soft } },
    rightPriceScale: { borderColor: paint.rule },
    timeScale: { borderColor: paint.rule },
  };
}

function candleLook(paint) {
  return { upColor: paint.page, downColor: paint.candle, borderUpColor: paint.candle, borderDownColor: paint.candle, wickUpColor: paint.candle, wickDownColor: paint.candle };
}

function grouped(value, digits) {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
}

function buildChart(frame, head, columns) {
  const paint = palette();
  const time = columns[0].map((seconds) => seconds + head.first);
  const lines = LightweightCharts;
  const chart = lines.createChart(frame, {
    autoSize: true, ...layoutOf(paint), localization: { locale: "en-US" },
    timeScale: { minBarSpacing: 0.002, timeVisible: true, secondsVisible: false, borderColor: paint.rule, rightOffset: 2 },
    handleScroll: { vertTouchDrag: false },
  });
  const parts = { chart, time, paint, head };
  let pane = 0;
  if (columns.length > 3) {
    const scale = 10 ** head.price_digits;
    const [open, high, low, close] = columns.slice(3);
    parts.price = chart.addSeries(lines.CandlestickSeries, {
      ...candleLook(paint), priceLineVisible: false, lastValueVisible: false,
      priceFormat: { type: "custom", minMove: 10 ** -head.tick_digits, formatter: (value) => grouped(value, head.tick_digits) },
    }, pane++);
    parts.price.setData(Array.from(time, (at, row) => {
      const base = close[row];
      return { time: at, open: (base + open[row]) / scale, high: (base + high[row]) / scale, low: (base + low[row]) / scale, close: base / scale };
    }));
    parts.marks = new TradeMarks(tradesOf(head, time), paint);
    parts.price.attachPrimitive(parts.marks);
  }
  const equityScale = 10 ** head.equity_digits;
  parts.equity = chart.addSeries(lines.LineSeries, {
    color: paint.accent, lineWidth: 2, priceLineVisible: false, lastValueVisible: false,
    priceFormat: { type: "custom", minMove: 1 / equityScale, formatter: (value) => grouped(value, Math.abs(value) < 1000 ? head.equity_digits : 0) },
  }, pane++);
  parts.equity.setData(Array.from(time, (at, row) => ({ time: at, value: columns[1][row] / equityScale })));
  parts.fall = chart.addSeries(lines.AreaSeries, {
    lineColor: paint.loss, topColor: "transparent", bottomColor: "transparent", lineWidth: 1, priceLineVisible: false, lastValueVisible: false,
    priceFormat: { type: "custom", minMove: 0.001, formatter: (value) => `${grouped(value, 1)} %` },
  }, pane++);
  parts.fall.setData(Array.from(time, (at, row) => ({ time: at, value: -columns[2][row] / 10 ** head.drawdown_digits })));
  chart.panes().forEach((part, index, all) => part.setStretchFactor(all.length === 3 && index === 0 ? 6 : index === all.length - 1 ? 1.4 : 2));
  chart.timeScale().fitContent();
  return parts;
}

function repaint(parts) {
  const paint = palette();
  parts.chart.applyOptions(layoutOf(paint));
  if (parts.price) parts.price.applyOptions(candleLook(paint));
  parts.equity.applyOptions({ color: paint.accent });
  parts.fall.applyOptions({ lineColor: paint.loss });
  if (parts.marks) {
    parts.marks.paint = paint;
    parts.marks.update();
  }
}

function showLegend(parts, box) {
  const field = (name, text) => {
    const item = document.createElement("span");
    const figure = document.createElement("b");
    figure.textContent = text;
    item.append(`${name} `, figure);
    return item;
  };
  parts.chart.subscribeCrosshairMove((moved) => {
    const found = (series) => (series ? moved.seriesData.get(series) : undefined);
    const bar = found(parts.price);
    const equity = found(parts.equity);
    const fall = found(parts.fall);
    const items = [];
    if (moved.time) items.push(field("", new Date(moved.time * 1000).toISOString().slice(0, 16).replace("T", " ")));
    if (bar) for (const name of ["open", "high", "low", "close"]) items.push(field(name[0].toUpperCase(), grouped(bar[name], parts.head.price_digits)));
    if (equity) items.push(field("Equity", grouped(equity.value, 2)));
    if (fall) items.push(field("Drawdown", `${grouped(-fall.value, 2)} %`));
    box.replaceChildren(...items);
  });
}

function showTrade(parts, index) {
  const trade = parts.marks && parts.marks.trades[index];
  if (!trade) return;
  parts.marks.chosen = index;
  const margin = Math.max(TRADE_MARGIN, trade.exit - trade.entry);
  parts.chart.timeScale().setVisibleLogicalRange({ from: trade.entry - margin, to: trade.exit + margin });
  parts.marks.update();
}

function move(parts, part, zoom) {
  const range = parts.chart.timeScale().getVisibleLogicalRange();
  if (!range) return;
  const width = range.to - range.from;
  const centre = (range.from + range.to) / 2 + width * part;
  parts.chart.timeScale().setVisibleLogicalRange({ from: centre - (width * zoom) / 2, to: centre + (width * zoom) / 2 });
}

function listen(parts, frame) {
  const step = (by) => {
    const trades = parts.marks ? parts.marks.trades : [];
    if (trades.length) showTrade(parts, Math.min(Math.max(parts.marks.chosen + by, 0), trades.length - 1));
  };
  const acts = { previous: () => step(-1), next: () => step(1), all: () => parts.chart.timeScale().fitContent() };
  document.querySelectorAll("[data-chart]").forEach((button) => button.addEventListener("click", acts[button.dataset.chart]));
  const keys = {
    ArrowLeft: () => move(parts, -0.15, 1), ArrowRight: () => move(parts, 0.15, 1), "+": () => move(parts, 0, 0.7), "=": () => move(parts, 0, 0.7),
    "-": () => move(parts, 0, 1.4), n: acts.next, p: acts.previous, Home: acts.all,
  };
  frame.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-trade]");
    if (link && parts.marks) showTrade(parts, parts.marks.trades.findIndex((trade) => trade.number === link.dataset.trade));
  });
  document.addEventListener("themechange", () => repaint(parts));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => repaint(parts));
}

async function startChart() {
  const frame = document.getElementById("chart-canvas");
  if (!frame) return;
  if (typeof DecompressionStream === "undefined") {
    frame.textContent = "This browser is too old for the chart; everything else on the page works.";
    return;
  }
  const head = await unpackJson("chart-head");
  const parts = buildChart(frame, head, columnsOf(await unpack("chart-data"), head.rows));
  showLegend(parts, document.getElementById("chart-legend"));
  listen(parts, frame);
}

startChart();
