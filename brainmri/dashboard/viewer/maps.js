// The map of a square: its colours, and where its scale ends.
const MAP_PX = 96; // side of a map as it is drawn; the canvas scales it to the square
const SIGNED = 'signed';
const SIGNED_DENSITY = 2.5; // colours that are pale where little speaks for or against would not be seen if transparent too

function scaleEnd(state) { // the value at which the colours of the chosen class end
  const { head } = state.packed;
  const { chosen } = state;
  if (state.scaleBy === 'run' && head.scales[chosen] > 0) return head.scales[chosen];
  return state.against ? Math.max(head.maxima[chosen], strongestAgainst(state)) : head.maxima[chosen];
}

function strongestAgainst(state) { // in the case
  return Math.max(0, ...state.packed.head.troughs[state.chosen]);
}

function strengthOf(state, square, which) { // 'peaks' or 'troughs' of a square
  const { head } = state.packed;
  return square && head.classes.length ? head[which][state.chosen][head.squares.indexOf(square)] : 0;
}

function hasSomething(state, square) {
  return strengthOf(state, square, 'peaks') > 0 || (state.against && strengthOf(state, square, 'troughs') > 0);
}

function tableOf(state) {
  const { head, colours } = state.packed;
  return colours[state.against ? head.colours.length : Math.max(0, head.colours.indexOf(state.colours))];
}

function prepareMap(state, square) {
  if (!hasSomething(state, square)) return false;
  const { head, maps } = state.packed;
  const place = state.chosen * head.squares.length + head.squares.indexOf(square);
  const end = scaleEnd(state);
  const key = `${place}|${end}|${state.against ? SIGNED : state.colours}`;
  if (state.mapKey === key) return true;
  const [rows, columns] = head.mapGrid;
  const values = upsampleMap(maps.subarray(place * rows * columns, (place + 1) * rows * columns), rows, columns, MAP_PX);
  state.map.width = state.map.height = MAP_PX;
  const context = state.map.getContext('2d');
  const image = context.createImageData(MAP_PX, MAP_PX);
  const table = tableOf(state);
  values.forEach((value, i) => paintShare(image.data, 4 * i, table, value / end, state.against));
  context.putImageData(image, 0, 0);
  state.mapKey = key;
  return true;
}

function paintShare(pixels, at, table, share, signed) { // no evidence: the image stays as it is
  const cut = Math.min(1, Math.max(signed ? -1 : 0, share));
  const entry = 3 * Math.round(255 * (signed ? (cut + 1) / 2 : cut));
  pixels[at] = table[entry];
  pixels[at + 1] = table[entry + 1];
  pixels[at + 2] = table[entry + 2];
  pixels[at + 3] = Math.round(255 * Math.min(1, Math.abs(cut) * (signed ? SIGNED_DENSITY : 1)));
}

function upsampleMap(values, rows, columns, side) { // bilinear between the centres of its cells, the outer halves flat
  const found = new Float32Array(side * side);
  const along = (cells) => Array.from({ length: side }, (_, i) => {
    const centre = Math.max(0, ((i + 0.5) * cells) / side - 0.5);
    const lower = Math.min(Math.floor(centre), cells - 1);
    return [lower, Math.min(lower + 1, cells - 1), centre - lower];
  });
  const across = along(columns);
  along(rows).forEach(([upper, lower, down], row) => {
    across.forEach(([left, right, over], column) => {
      const above = values[upper * columns + left] * (1 - over) + values[upper * columns + right] * over;
      const below = values[lower * columns + left] * (1 - over) + values[lower * columns + right] * over;
      found[row * side + column] = above * (1 - down) + below * down;
    });
  });
  return found;
}

function drawColours(state) { // the scale beside the panels, with the transparency of the map's own colours left out
  const context = state.parts.colours.getContext('2d');
  const image = context.createImageData(256, 1);
  const table = tableOf(state);
  for (let i = 0; i < 256; i += 1) {
    image.data.set(table.subarray(3 * i, 3 * i + 3), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
