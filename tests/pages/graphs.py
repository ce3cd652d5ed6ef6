"""Where things stand in the page of a graph, and what of it is lit."""

from __future__ import annotations

PLACE = """([plot, renderer, i]) => {
  const model = Bokeh.documents[0].get_model_by_name(plot);
  const view = Bokeh.index.find_one(model);
  const data = model.renderers.find(each => each.name == renderer).data_source.data;
  const box = view.canvas_view.el.getBoundingClientRect();
  return [box.x + view.frame.x_scale.compute(data.x[i]), box.y + view.frame.y_scale.compute(data.y[i])];
}"""
COLUMN = """([plot, renderer, name]) => [...Bokeh.documents[0].get_model_by_name(plot)
  .renderers.find(each => each.name == renderer).data_source.data[name]]"""
PROPERTY = "([model, name]) => Bokeh.documents[0].get_model_by_name(model)[name]"
SHADOWS = """() => {
  const texts = root => [...root.childNodes].map(each =>
    (each.nodeType == 3 ? each.textContent : "") + (["style", "script"].includes(each.localName) ? "" : texts(each)) +
    (each.shadowRoot ? texts(each.shadowRoot) : "")).join("");
  return texts(document.body);
}"""
FONT = """() => {
  const found = Bokeh.documents[0].get_model_by_name('graph').renderers
    .map(each => each.glyph.text_font_size).find(each => each);
  return found.value ?? found;
}"""
NOTHING = """() => {
  const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name('graph'));
  const box = view.canvas_view.el.getBoundingClientRect(), inner = view.frame.bbox;
  return [box.x + inner.right - 8, box.y + inner.bottom - 8];
}"""


class GraphInPage:
    """The page of a graph, as somebody looks at it."""

    def __init__(self, page):
        self.page = page

    def place(self, node):
        """Where the middle of a box is."""
        return self.page.ask(PLACE, ["graph", "nodes", node])

    def column(self, name):
        """A column of the boxes."""
        return self.page.ask(COLUMN, ["graph", "nodes", name])

    def property(self, model, name):
        """A property of a named model."""
        return self.page.ask(PROPERTY, [model, name])

    def lit(self):
        """The boxes that are not dimmed."""
        return [number for number, alpha in enumerate(self.column("alpha")) if alpha == 1]

    def click(self, node, *, is_double=False):
        """Click a box."""
        self.page.click(*self.place(node), is_double=is_double)

    def click_nothing(self):
        """Click where no box is."""
        self.page.click(*self.page.ask(NOTHING))

    def font(self):
        """The size of the letters."""
        return float(self.page.ask(FONT).removesuffix("px"))

    def texts(self):
        """All that can be read, in shadow trees too."""
        return self.page.ask(SHADOWS)
