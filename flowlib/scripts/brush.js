// Brushes on axes: what lies within all of them is lit, and stands in the table.
const d = brushes.data, kind = cb_obj.event_name;
const drop = at => { for (const name of Object.keys(d)) d[name].splice(at, 1); };
const inside = (value, low, high) => low - 1e-9 <= value && value <= high + 1e-9;

if (kind === "doubletap") {
  for (const name of Object.keys(d)) d[name] = [];
  brushes.tags = [];
} else if (kind === "tap") {
  const at = d.axis.findIndex((axis, i) =>
    Math.abs(cb_obj.x - axis) < 0.1 && inside(cb_obj.y, d.bottom[i], d.top[i]));
  if (at < 0) return;
  drop(at);
} else if (kind === "panstart" || kind === "press") {  // who holds the button for long presses
  const axis = Math.round(cb_obj.x);
  brushes.tags = axis >= 0 && axis < axes && Math.abs(cb_obj.x - axis) < 0.35 ? [axis, cb_obj.y] : [];
  return;
} else {
  if (!brushes.tags.length) return;
  const [axis, from] = brushes.tags;
  const at = d.axis.indexOf(axis);
  if (at >= 0) drop(at);
  const low = Math.min(from, cb_obj.y), high = Math.max(from, cb_obj.y);
  d.axis.push(axis); d.left.push(axis - 0.06); d.right.push(axis + 0.06);
  d.bottom.push(low); d.top.push(high);
  if (kind === "pan" || kind === "mousemove") { brushes.change.emit(); return; }
  if (high - low < 0.01) drop(d.axis.length - 1);
  brushes.tags = [];
}
brushes.change.emit();
const ys = rows.data.ys, lit = [];
const is = ys.map(heights => d.axis.every((axis, i) => inside(heights[axis], d.bottom[i], d.top[i])));
is.forEach((one, i) => { if (one) lit.push(i); });
rows.data.alpha = is.map(one => one ? 0.7 : 0.04);
rows.change.emit();
filter.indices = lit;
count.text = `${lit.length} of ${ys.length} rows`;
