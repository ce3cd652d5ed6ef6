// Letters grow with the boxes, up to a size that is easy to read; too small ones are left out.
const x = plot.inner_width / Math.abs(plot.x_range.end - plot.x_range.start);
const y = plot.inner_height / Math.abs(plot.y_range.end - plot.y_range.start);
const px = Math.min(12 * x, 0.5 * row_px * y, 15);
glyph.text_font_size = px < 5 ? "0px" : px.toFixed(1) + "px";
