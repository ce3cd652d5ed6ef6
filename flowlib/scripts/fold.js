// Opens the spec on which was clicked twice, or closes the spec of a task.
const n = nodes.data;
const hit = n.x.findIndex((x, i) =>
  Math.abs(cb_obj.x - x) <= n.width[i] / 2 && Math.abs(cb_obj.y - n.y[i]) <= n.height[i] / 2);
if (hit >= 0 && foldable.includes(n.node[hit])) {
  const open = new Set(nodes.tags);
  if (!open.delete(n.node[hit])) open.add(n.node[hit]);
  nodes.tags = [...open];
  unfold.execute(cb_obj);
}
