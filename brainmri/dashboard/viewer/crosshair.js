// One point of the grid, marked and read in all sequences.
const CROSSHAIR_COLOUR = '#4FC3F7';
const CROSSHAIR_GAP = 7; // CSS pixels around the point that stay free

function toggleCrosshair(state) {
  state.crosshair = !state.crosshair;
  if (state.crosshair && !state.pointer) state.pointer = centreOf(state);
  requestDraw(state);
}

function centreOf(state) { // of the square on this slice, else of the slice
  const { head } = state.packed;
  const square = squareOf(state);
  const [row, column] = square
    ? [square.row + square.size / 2, square.column + square.size / 2]
    : [head.shape[1] / 2, head.shape[2] / 2];
  return { row: Math.floor(row), column: Math.floor(column) };
}

function pointAt(panel, event) { // row and column below the pointer, with fractions; null where no slice is drawn
  if (!panel.at) return null;
  const box = panel.canvas.getBoundingClientRect();
  const ratio = panel.canvas.width / box.width;
  return {
    row: ((event.clientY - box.top) * ratio - panel.at.y) / panel.at.ky,
    column: ((event.clientX - box.left) * ratio - panel.at.x) / panel.at.kx,
  };
}

function movePointer(state, panel, event) {
  const point = pointAt(panel, event);
  if (!point) return;
  const [, rows, columns] = state.packed.head.shape;
  const row = Math.floor(point.row);
  const column = Math.floor(point.column);
  if (row < 0 || column < 0 || row >= rows || column >= columns) return; // it stays where it was last inside
  state.pointer = { row, column };
  if (state.crosshair) requestDraw(state);
}

function valueAt(state, index) { // in the scanner's units
  const { head } = state.packed;
  const level = levelAt(state.packed, index, state.slice, state.pointer.row, state.pointer.column);
  const noisy = head.air[index] > head.offsets[index];
  if (noisy && level === head.background[index]) return `≤ ${writeValue(head.air[index])}`; // air was not sent as it was
  return writeValue(level * head.slopes[index] + head.offsets[index]);
}

function writeValue(value) {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function describePoint(state) {
  const read = state.panels.map((panel) => `${panel.name} ${valueAt(state, panel.index)}`).join(', ');
  return `${read} at column ${state.pointer.column + 1}, row ${state.pointer.row + 1}`;
}

function drawCrosshair(state, panel, context, ratio) {
  if (!state.crosshair || !state.pointer) return;
  const { at, canvas } = panel;
  const x = at.x + (state.pointer.column + 0.5) * at.kx;
  const y = at.y + (state.pointer.row + 0.5) * at.ky;
  const gap = CROSSHAIR_GAP * ratio;
  for (const [colour, width] of [['rgba(0, 0, 0, 0.6)', 3], [CROSSHAIR_COLOUR, 1]]) {
    context.strokeStyle = colour;
    context.lineWidth = width * ratio;
    context.beginPath();
    for (const [x0, y0, x1, y1] of [[0, y, x - gap, y], [x + gap, y, canvas.width, y],
      [x, 0, x, y - gap], [x, y + gap, x, canvas.height]]) {
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
    }
    context.stroke();
  }
  write(context, ratio, valueAt(state, panel.index), canvas.width - 8 * ratio, 8 * ratio, 'right', 'top');
}
