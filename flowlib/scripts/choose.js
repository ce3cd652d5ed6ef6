// The buttons say which specs are open.
const open = foldable.filter((_, i) => cb_obj.active.includes(i));
if (open.length !== nodes.tags.length || open.some(each => !nodes.tags.includes(each))) {
  nodes.tags = open;
  unfold.execute(cb_obj);
}
