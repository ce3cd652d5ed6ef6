// Lights what fits the filter and the states, and of that, after a click, what is related.
const n = nodes.data, e = edges.data;
const chosen = nodes.selected.indices;
const related = new Set(chosen);
for (const near of [n.sources, n.targets]) {
  const seen = new Set(chosen), stack = [...chosen];
  while (stack.length) {
    for (const each of near[stack.pop()]) {
      if (!seen.has(each)) { seen.add(each); related.add(each); stack.push(each); }
    }
  }
}
const text = (filter.value_input || "").toLowerCase().split(/\s+/).filter(word => word);
const off = new Set(words.filter((_, index) => !states.active.includes(index)));
const lit = n.words.map((told, i) =>
  (!chosen.length || related.has(i)) && !off.has(n.state[i]) && text.every(word => told.includes(word)));
n.alpha = lit.map(is => is ? 1 : 0.15);
n.fill = lit.map((is, i) => is ? (chosen.includes(i) ? 0.5 : 0.15) : 0.03);
e.alpha = e.source.map((source, i) => lit[source] && lit[e.target[i]] ? (chosen.length ? 1 : 0.6) : 0.06);
e.width = e.alpha.map(alpha => alpha == 1 ? 2 : 1);
told.text = chosen.map(i => n.told[i]).join("\n\n");
nodes.change.emit();
edges.change.emit();
