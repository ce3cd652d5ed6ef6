// Shows the tasks of open specs one by one and every other spec as one box; places all anew.
const page = JSON.parse(known);
const open = new Set(nodes.tags);
const isOpen = node => open.has(node);
const press = opened => {
  if (buttons !== null) buttons.active = foldable.flatMap((node, i) => opened.has(node) ? [i] : []);
};

// What is shown, which box stands for each task, and the lines between boxes, each once.
const items = [], boxOf = [], first = new Map();
page.closed_of.forEach((node, task) => {
  const key = isOpen(node) ? "task " + task : "spec " + node;
  if (!first.has(key)) {
    first.set(key, items.length);
    items.push({ known: isOpen(node) ? page.opened : page.closed, at: isOpen(node) ? task : node, node, ranks: [] });
  }
  boxOf.push(first.get(key));
  items[first.get(key)].ranks.push(page.ranks[task]);
});
const targets = items.map(() => new Set()), looked = new Set();
let lines = 0;
page.sources_of.forEach((list, task) => {
  const box = boxOf[task];
  if (looked.has(box + " " + list) || lines > page.most_lines) return;
  looked.add(box + " " + list);
  for (const source of page.sources[list]) {
    if (!targets[boxOf[source]].has(box)) { targets[boxOf[source]].add(box); lines += 1; }
  }
});
if (items.length > page.most_nodes || lines > page.most_lines) {
  notice.text = `${items.length.toLocaleString("en")} nodes and ${lines > page.most_lines ? "more than " : ""}` +
    `${Math.min(lines, page.most_lines).toLocaleString("en")} lines are too many for one page: ` +
    "close other specs, or use around= for what belongs to one task";
  notice.visible = true;
  const seen = nodes.data.node;
  nodes.tags = foldable.filter(node => seen.indexOf(node) !== seen.lastIndexOf(node));
  press(new Set(nodes.tags));
  return;
}
notice.visible = false;
press(open);

// Layers hold boxes, and a lane for each box whose lines pass by; all in the order of ranks.
const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;
const layers = [];
const put = (layer, rank, place) => (layers[layer] ??= []).push(Object.assign(place, { layer, rank }));
for (const item of items) {
  item.rank = mean(item.ranks);
  put(page.layers[item.node], item.rank, item);
}
items.forEach((item, box) => {
  item.lanes = new Map();
  const far = [...targets[box]].map(each => items[each]);
  const last = Math.max(item.layer, ...far.map(each => each.layer));
  for (let layer = item.layer + 1; layer < last; layer++) {
    const beyond = mean(far.filter(each => each.layer > layer).map(each => each.rank));
    const lane = {};
    put(layer, item.rank + (beyond - item.rank) * (layer - item.layer) / (last - item.layer), lane);
    item.lanes.set(layer, lane);
  }
});
const height = Math.max(...layers.map(layer => layer.length)) * page.row;
let edge = 0;
const columns = layers.map(layer => {
  const width = Math.max(...layer.map(each => each.known ? each.known.width[each.at] : 0));
  layer.sort((a, b) => a.rank - b.rank).forEach((each, i) => {
    each.y = height / 2 + (i + 0.5 - layer.length / 2) * page.row;
    each.x = edge + (each.known ? each.known.width[each.at] : width) / 2;
  });
  edge += width + page.gap;
  return [edge - width - page.gap, edge - page.gap];
});

// The columns that Bokeh shows.
const told = {};
for (const name of Object.keys(page.closed)) told[name] = items.map(each => each.known[name][each.at]);
const sources = items.map(() => []);
const drawn = { xs: [], ys: [], source: [], target: [], alpha: [], width: [] };
targets.forEach((each, box) => each.forEach(target => {
  sources[target].push(box);
  const from = items[box], to = items[target];
  const xs = [from.x + told.width[box] / 2, columns[from.layer][1]], ys = [from.y, from.y];
  for (let layer = from.layer + 1; layer < to.layer; layer++) {
    xs.push(...columns[layer]);
    ys.push(from.lanes.get(layer).y, from.lanes.get(layer).y);
  }
  drawn.xs.push([...xs, to.x - told.width[target] / 2]);
  drawn.ys.push([...ys, to.y]);
  drawn.source.push(box); drawn.target.push(target); drawn.alpha.push(0.6); drawn.width.push(1);
}));
const escaped = text => text.replace(/[&<>"']/g, each => `&#${each.charCodeAt(0)};`);
nodes.selected.indices = [];
edges.data = drawn;
nodes.data = {
  ...told, title: told.told.map(text => escaped(text).replaceAll("\n", "<br>")), words: told.told.map(text => text.toLowerCase()),
  x: items.map(each => each.x), y: items.map(each => each.y), node: items.map(each => each.node),
  height: items.map(() => page.row * 0.6), alpha: items.map(() => 1), fill: items.map(() => 0.15),
  sources, targets: targets.map(each => [...each]),
};
const margin = page.row / 2;
plot.height = Math.round(Math.min(Math.max(height + 100, 300), 900));
zoom.dimensions = height > 2 * edge ? "height" : "both";
const fit = (range, start, end) => range.setv({ start, end, reset_start: start, reset_end: end });
fit(plot.x_range, -margin, edge - page.gap + margin);
fit(plot.y_range, height + margin, -margin);
answer.execute(nodes);
