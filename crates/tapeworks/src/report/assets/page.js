(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("report-data").textContent);

  // ---- numbers and times, in the forms the tables use -------------------------------------------
  const grouped = (value, decimals) => {
    if (value === null || !Number.isFinite(value)) return "n/a";
    const text = Math.abs(value).toLocaleString("en-US", {
      minimumFractionDigits: decimals, maximumFractionDigits: decimals,
    });
    return value < 0 && /[1-9]/.test(text) ? "\u2212" + text : text;
  };
  const money = (value) => grouped(value, Math.abs(value) < 1e5 ? 2 : 0);
  const percent = (value) => (value === null ? "n/a" : grouped(value * 100, 2) + " %");
  const price = (value) => {
    const size = Math.abs(value);
    const text = grouped(value, size >= 100 || size === 0 ? 2 : size >= 1 ? 4 : 6);
    return text.replace(/(\.\d\d\d*?)0+$/, "$1");
  };
  const clock = (zone, isDaily) => {
    const format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
    });
    return (seconds) => {
      const part = {};
      for (const { type, value } of format.formatToParts(new Date(seconds * 1000))) part[type] = value;
      const date = `${part.year}-${part.month}-${part.day}`;
      if (isDaily) return date;
      return `${date} ${part.hour}:${part.minute}` + (part.second === "00" ? "" : ":" + part.second);
    };
  };
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  // ---- theme ------------------------------------------------------------------------------------
  const themes = ["auto", "light", "dark"];
  const onTheme = [];
  const themeButton = byId("theme");
  const stored = () => { try { return localStorage.getItem("tapeworks-theme"); } catch { return null; } };
  const store = (name) => { try { localStorage.setItem("tapeworks-theme", name); } catch { /* from disk */ } };
  const setTheme = (name) => {
    if (name === "auto") delete root.dataset.theme; else root.dataset.theme = name;
    themeButton.textContent = "Theme: " + name;
    for (const redraw of onTheme) redraw();
  };
  let theme = themes.includes(stored()) ? stored() : "auto";
  themeButton.hidden = false;
  themeButton.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    store(theme);
    setTheme(theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(theme));
  addEventListener("beforeprint", () => setTheme("light"));
  addEventListener("afterprint", () => setTheme(theme));

  // ---- hints on hover and focus -----------------------------------------------------------------
  const tip = byId("tip");
  const showTip = (event) => {
    const owner = event.target.closest?.("[data-tip]");
    if (!owner || !owner.dataset.tip) { tip.hidden = true; return; }
    tip.textContent = owner.dataset.tip;
    tip.hidden = false;
    const box = owner.getBoundingClientRect();
    const left = Math.min(Math.max(box.left, 16), innerWidth - tip.offsetWidth - 16);
    const below = box.bottom + 8 + tip.offsetHeight < innerHeight;
    tip.style.left = left + scrollX + "px";
    tip.style.top = (below ? box.bottom + 8 : box.top - tip.offsetHeight - 8) + scrollY + "px";
  };
  document.addEventListener("mouseover", showTip);
  document.addEventListener("focusin", showTip);
  document.addEventListener("focusout", () => { tip.hidden = true; });
  addEventListener("resize", () => { tip.hidden = true; });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });

  // ---- where the reader is ----------------------------------------------------------------------
  const links = [...document.querySelectorAll(".bar-links a")];
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links) link.removeAttribute("aria-current");
      links.find((link) => link.hash === "#" + entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const section of document.querySelectorAll("section[id]")) seen.observe(section);

  // ---- charts -----------------------------------------------------------------------------------
  const column = (text, Type) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Type(bytes.buffer);
  };
  // as many decimals as a multiple of the step needs, three at most
  const decimalsOf = (step) => {
    let decimals = 0;
    for (let rest = step; decimals < 3 && Math.abs(rest - Math.round(rest)) > 1e-6 * Math.max(rest, 1); decimals++) rest *= 10;
    return decimals;
  };
  const compact = (value, step) => {
    const size = Math.max(Math.abs(value), step);
    const [scale, suffix] = size >= 1e9 ? [1e9, "bn"] : size >= 1e6 ? [1e6, "M"] : size >= 1e4 ? [1e3, "k"] : [1, ""];
    return grouped(value / scale, decimalsOf(step / scale)) + suffix;
  };
  const stepOf = (splits) => {
    const steps = splits.slice(1).map((value, i) => value - splits[i]).filter((step) => step > 0);
    return steps.length ? Math.min(...steps) : Math.abs(splits[0] ?? 1);
  };
  // marks of a logarithmic axis: even steps within a decade, 1-2-5 beyond
  const logSplits = (low, high) => {
    const splits = [];
    if (high / low < 12) {
      const raw = (high - low) / 5;
      const power = 10 ** Math.floor(Math.log10(raw));
      const step = [1, 2, 2.5, 5, 10].map((s) => s * power).find((s) => s >= raw);
      for (let k = Math.ceil(low / step); k * step <= high; k++) splits.push(k * step);
      return splits;
    }
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (const digit of [1, 2, 5]) {
        const value = digit * 10 ** power;
        if (value >= low && value <= high) splits.push(value);
      }
    }
    return splits;
  };

  const charts = () => {
    const part = data.overview;
    if (!part || !byId("charts") || !part.seconds) return;
    byId("charts").hidden = false;
    const seconds = Array.from(column(part.seconds, Float64Array));
    const series = {};
    for (const name of ["equity", "drawdown", "exposure", "positions"]) {
      series[name] = Array.from(column(part[name], Float32Array), (v) => (Number.isNaN(v) ? null : v));
    }
    const label = clock(part.zone, part.is_daily);
    const canLog = series.equity.every((value) => value === null || value > 0);
    const last = seconds.length - 1;
    const whole = last > 0
      ? [seconds[0], seconds[last]] : [seconds[0] - 3 * 86400, seconds[0] + 3 * 86400];
    let isLog = false;
    let view = whole;
    let plots = [];
    let isMoving = false;

    const readout = byId("readout");
    const show = (at) => {
      const i = at ?? last;
      readout.textContent = "";
      readout.append(element("b", label(seconds[i])));
      const item = (name, value) => {
        const box = element("span", name + " ");
        box.append(element("b", value));
        readout.append(box);
      };
      const equity = series.equity[i];
      item("equity", `${money(equity)} ${part.currency}`.trim());
      if (part.initial > 0 && equity !== null) {
        const gain = equity / part.initial - 1;
        item("since start", (gain > 0 ? "+" : "") + percent(gain));
      }
      item("drawdown", percent(series.drawdown[i]));
      item("exposure", percent(series.exposure[i]));
      item("positions", grouped(series.positions[i], 0));
    };

    const zoom = (from, to, source) => {
      if (isMoving || !(to > from)) return;
      isMoving = true;
      view = [from, to];
      for (const plot of plots) if (plot !== source) plot.setScale("x", { min: from, max: to });
      for (const button of byId("spans").children) {
        button.setAttribute("aria-pressed", String(+button.dataset.from === from && to === whole[1]));
      }
      isMoving = false;
    };

    const dateForms = [
      [31536000, "{YYYY}", null, null, null, null, null, null, 1],
      [2419200, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
      [86400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
      [3600, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
      [60, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
      [1, "{HH}:{mm}:{ss}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
    ];

    // session dates have no hours to show; uPlot takes 30 days for a month and 365 for a year
    const dayIncrements = [1, 2, 3, 4, 5, 7, 10, 15, 30, 60, 90, 120, 180, 365, 730, 1825, 3650, 9125].map((days) => days * 86400);

    const build = (name, height, { colour, fill, range, marks, splits, log, dates, reference, steps }) => {
      const home = byId("plot-" + name);
      home.textContent = "";
      const soft = css("--soft");
      const line = css("--line");
      const font = "12px " + css("--sans");
      const isNarrow = home.clientWidth < 560;
      const axis = { stroke: soft, font, ticks: { show: false }, grid: { stroke: line, width: 1 } };
      const plot = new uPlot({
        width: home.clientWidth,
        height: height + (dates ? 42 : 0),
        legend: { show: false },
        padding: [8, isNarrow ? 8 : 16, dates ? 0 : 4, 0],
        tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), part.zone === "UTC" ? "Etc/UTC" : part.zone),
        cursor: { sync: { key: "report" }, y: false, drag: { x: true, y: false }, points: { size: 7 } },
        scales: {
          x: { time: true, range: () => view },
          y: log ? { distr: 3, log: 10, range } : { range },
        },
        axes: [
          { ...axis, grid: { show: false }, show: true, size: dates ? 46 : 0, gap: 12, ...(part.is_daily ? { incrs: dayIncrements } : {}), values: dates ? dateForms : () => [], space: isNarrow ? 56 : 76 },
          { ...axis, size: isNarrow ? 48 : 62, values: (u, all) => marks(all), space: 38,
            ...(splits ? { splits: (u, i, low, high) => splits(low, high), filter: (u, all) => all } : {}) },
        ],
        series: [{}, {
          stroke: colour, width: 1.6, fill, points: { show: last === 0, size: 7, fill: colour },
          ...(steps ? { paths: uPlot.paths.linear() } : {}),
        }],
        hooks: {
          setCursor: [(u) => show(u.cursor.idx)],
          setScale: [(u, key) => { if (key === "x") zoom(u.scales.x.min, u.scales.x.max, u); }],
          drawClear: reference === undefined ? [] : [(u) => {
            const y = u.valToPos(reference, "y", true);
            if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
            u.ctx.save();
            u.ctx.strokeStyle = soft;
            u.ctx.setLineDash([3 * devicePixelRatio, 4 * devicePixelRatio]);
            u.ctx.lineWidth = devicePixelRatio;
            u.ctx.beginPath();
            u.ctx.moveTo(u.bbox.left, y);
            u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
            u.ctx.stroke();
            u.ctx.restore();
          }],
        },
      }, [seconds, series[name]], home);
      // a double click shows everything again; the range function keeps the view otherwise
      plot.over.addEventListener("dblclick", () => zoom(whole[0], whole[1]));
      plots.push(plot);
    };

    const padded = (u, low, high) => {
      if (low === null) return [0, 1];
      const margin = high > low ? (high - low) * 0.06 : Math.abs(low) * 0.02 || 1;
      return [low - margin, high + margin];
    };
    const rebuild = () => {
      for (const plot of plots) plot.destroy();
      plots = [];
      const gain = css("--gain-rgb");
      const loss = css("--loss-rgb");
      const amounts = (all) => { const step = stepOf(all); return all.map((v) => compact(v, step)); };
      const shares = (all) => {
        const step = stepOf(all);
        return all.map((v) => grouped(v * 100, decimalsOf(step * 100)) + " %");
      };
      build("equity", 300, {
        colour: `rgb(${gain})`, marks: amounts, log: isLog, reference: part.initial,
        range: isLog ? (u, low, high) => [low / (high / low) ** 0.06 / 1.002, high * (high / low) ** 0.06 * 1.002] : padded,
        splits: isLog ? logSplits : undefined,
      });
      build("drawdown", 130, {
        colour: `rgb(${loss})`, fill: `rgb(${loss} / .16)`, marks: shares,
        range: (u, low) => [Math.min(low ?? 0, -0.001) * 1.06, 0],
      });
      build("exposure", 96, {
        colour: css("--third"), marks: shares, dates: true,
        range: (u, low, high) => [0, Math.max(high ?? 0, 0.01) * 1.06],
      });
      show(null);
    };

    const spans = byId("spans");
    const addSpan = (name, from) => {
      const button = element("button", name);
      button.type = "button";
      button.dataset.from = from;
      button.setAttribute("aria-pressed", String(from === whole[0]));
      button.addEventListener("click", () => zoom(from, whole[1]));
      spans.append(button);
    };
    const day = 86400;
    for (const [name, days] of [["1 d", 1], ["1 w", 7], ["1 m", 30.44], ["3 m", 91.3], ["1 y", 365.25], ["3 y", 1095.75], ["5 y", 1826.25]]) {
      const span = days * day;
      const total = whole[1] - whole[0];
      if (last > 0 && span < total * 0.9 && span > total / 45) addSpan(name, whole[1] - span);
    }
    addSpan("all", whole[0]);

    const setLog = (on) => {
      isLog = on && canLog;
      byId("log").setAttribute("aria-pressed", String(isLog));
      byId("linear").setAttribute("aria-pressed", String(!isLog));
      rebuild();
    };
    byId("log").disabled = !canLog;
    byId("log").addEventListener("click", () => setLog(true));
    byId("linear").addEventListener("click", () => setLog(false));

    byId("plot-equity").addEventListener("keydown", (event) => {
      const plot = plots[0];
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const [from, to] = view;
      if (move) {
        const at = Math.min(Math.max((plot.cursor.idx ?? last) + move * (event.shiftKey ? 10 : 1), 0), last);
        for (const each of plots) each.setCursor({ left: each.valToPos(seconds[at], "x"), top: 1 }, each === plot);
      } else if (event.key === "+" || event.key === "=") {
        zoom(from + (to - from) / 4, to - (to - from) / 4);
      } else if (event.key === "-") {
        zoom(Math.max(from - (to - from) / 2, whole[0]), Math.min(to + (to - from) / 2, whole[1]));
      } else if (event.key === "0") {
        zoom(whole[0], whole[1]);
      } else {
        return;
      }
      event.preventDefault();
    });
    for (const button of document.querySelectorAll("button.zoom")) {
      button.addEventListener("click", () => {
        const [from, to] = [+button.dataset.from, +button.dataset.to];
        const margin = Math.max((to - from) * 0.15, (whole[1] - whole[0]) / 400);
        zoom(Math.max(from - margin, whole[0]), Math.min(to + margin, whole[1]));
        byId("charts").scrollIntoView();
      });
    }
    let width = 0;
    new ResizeObserver(() => {
      const now = byId("plot-equity").clientWidth;
      if (now === width || now === 0) return;
      width = now;
      requestAnimationFrame(rebuild);
    }).observe(byId("charts"));
    onTheme.push(rebuild);
  };

  // ---- trades -----------------------------------------------------------------------------------
  const trades = () => {
    const part = data.trades;
    const home = byId("trades-table");
    if (!part || !home || !part.id.length) return;
    home.hidden = false;
    const label = clock(part.zone, part.is_daily);
    const spaced = (code) => code.replaceAll("_", " ");
      const columns = [
      { key: "id", title: "#", number: true, text: (v) => String(v) },
      { key: "symbol", title: "Symbol", names: part.symbols, csv: "symbol" },
      { key: "side", title: "Side", names: part.sides },
      { key: "entry_seconds", title: "Entry", text: label, csv: "entry_time" },
      { key: "entry_price", title: "at", number: true, text: price },
      { key: "exit_seconds", title: "Exit", text: label, csv: "exit_time" },
      { key: "exit_price", title: "at", number: true, text: price },
      { key: "quantity", title: "Units", number: true, text: (v) => grouped(v, Number.isInteger(v) ? 0 : 4) },
      { key: "pnl_net", title: "Net P&L", number: true, text: money, tone: true },
      { key: "pnl_percent", title: "Return", number: true, text: percent, tone: true },
      { key: "total_cost", title: "Costs", number: true, text: money },
      { key: "bars", title: "Bars", number: true, text: (v) => grouped(v, 0) },
      { key: "mfe", title: "Best", number: true, text: percent, tip: "Best unrealised gain while held, of the entry price (MFE)" },
      { key: "mae", title: "Worst", number: true, text: percent, tip: "Worst unrealised loss while held, of the entry price (MAE)" },
      { key: "reason", title: "Exit reason", names: part.reasons.map(spaced) },
    ];
    const titles = { entry_price: "Entry price", exit_price: "Exit price" };
    const rowsPerPage = 20;
    let sort = { key: "entry_seconds", down: true };
    let page = 0;
    let shown = [];

    const headRow = home.querySelector("thead tr");
    for (const col of columns) {
      const th = element("th", undefined, col.number ? "num" : "");
      th.scope = "col";
      const button = element("button", titles[col.key] ?? col.title);
      button.type = "button";
      if (col.tip) button.dataset.tip = col.tip;
      button.addEventListener("click", () => {
        sort = { key: col.key, down: sort.key === col.key ? !sort.down : Boolean(col.number) };
        update();
      });
      th.append(button);
      headRow.append(th);
      col.th = th;
    }
    const filters = byId("trade-filters");
    for (const name of part.symbols.slice(0, 3000)) {
      const option = element("option");
      option.value = name;
      byId("trade-symbols").append(option);
    }
    part.reasons.forEach((code, i) => {
      if (!part.reason.includes(i)) return;
      const option = element("option", spaced(code));
      option.value = i;
      filters.elements.reason.append(option);
    });

    const body = home.querySelector("tbody");
    const draw = () => {
      const nPages = Math.max(1, Math.ceil(shown.length / rowsPerPage));
      page = Math.min(Math.max(page, 0), nPages - 1);
      body.textContent = "";
      for (const i of shown.slice(page * rowsPerPage, (page + 1) * rowsPerPage)) {
        const tr = element("tr");
        for (const col of columns) {
          const value = part[col.key][i];
          const text = col.names ? col.names[value] : value === null ? "n/a" : col.text(value);
          const td = element("td", text, (col.number ? "num" : "") + (col.tone && value < 0 ? " loss-text" : ""));
          if (col.key === "exit_seconds" && part.statuses[part.status[i]] === "open") td.textContent = "open";
          tr.append(td);
        }
        body.append(tr);
      }
      if (!shown.length) {
        const td = element("td", "No trade matches these filters.");
        td.colSpan = columns.length;
        const tr = element("tr");
        tr.append(td);
        body.append(tr);
      }
      byId("trade-count").textContent = `${grouped(shown.length, 0)} of ${grouped(part.id.length, 0)} rows`;
      byId("trade-page").textContent = `page ${page + 1} of ${nPages}`;
      for (const button of home.querySelectorAll("[data-page]")) {
        const isBack = button.dataset.page === "first" || button.dataset.page === "back";
        button.disabled = isBack ? page === 0 : page === nPages - 1;
      }
    };
    const update = () => {
      const symbol = filters.elements.symbol.value.trim().toLowerCase();
      const reason = filters.elements.reason.value;
      const result = filters.elements.result.value;
      const isExact = part.symbols.some((name) => name.toLowerCase() === symbol);
      const matches = part.symbols.map((name) => {
        const low = name.toLowerCase();
        return isExact ? low === symbol : low.includes(symbol);
      });
      shown = [];
      for (let i = 0; i < part.id.length; i++) {
        if (symbol && !matches[part.symbol[i]]) continue;
        if (reason !== "" && part.reason[i] !== +reason) continue;
        if (result === "win" && !(part.pnl_net[i] > 0)) continue;
        if (result === "loss" && !(part.pnl_net[i] < 0)) continue;
        shown.push(i);
      }
      const col = columns.find((each) => each.key === sort.key);
      const values = part[sort.key];
      const order = (i) => (col.names ? col.names[values[i]] : values[i] ?? -Infinity);
      shown.sort((a, b) => {
        const [x, y] = [order(a), order(b)];
        const sign = x < y ? -1 : x > y ? 1 : part.id[a] - part.id[b];
        return sort.down ? -sign : sign;
      });
      for (const each of columns) {
        if (each === col) each.th.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
        else each.th.removeAttribute("aria-sort");
      }
      page = 0;
      draw();
    };
    filters.addEventListener("input", update);
    filters.addEventListener("submit", (event) => event.preventDefault());
    for (const button of home.querySelectorAll("[data-page]")) {
      button.addEventListener("click", () => {
        page = { first: 0, back: page - 1, next: page + 1, last: Infinity }[button.dataset.page];
        draw();
      });
    }
    byId("trade-csv").addEventListener("click", () => {
      const quoted = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
      const lines = [columns.map((col) => col.csv ?? col.key).join(",")];
      for (const i of shown) {
        lines.push(columns.map((col) => {
          const value = part[col.key][i];
          if (value === null) return "";
          if (col.names) return quoted(col.key === "reason" ? part.reasons[value] : col.names[value]);
          return col.key.endsWith("_seconds") ? new Date(value * 1000).toISOString() : String(value);
        }).join(","));
      }
      const link = element("a");
      link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
      link.download = "trades.csv";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
    update();
  };

  // ---- small buttons ----------------------------------------------------------------------------
  const formulas = byId("formulas");
  if (formulas) {
    formulas.hidden = false;
    formulas.addEventListener("click", () => {
      const on = byId("figures").classList.toggle("formulas-shown");
      formulas.setAttribute("aria-pressed", String(on));
      formulas.textContent = on ? "Hide formulas" : "Show formulas";
    });
  }
  const copy = byId("copy-config");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(byId("config").textContent);
        copy.textContent = "copied";
      } catch {
        copy.textContent = "not allowed here";
      }
      setTimeout(() => { copy.textContent = "copy"; }, 1500);
    });
  }

  setTheme(theme);
  charts();
  trades();
})();
