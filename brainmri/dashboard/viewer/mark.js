// Mark one point of the case. Python hears of it at each click.
const MARK_COLOUR = '#FF80AB';
const MARK_PX = 9; // CSS pixels from the point to the end of an arm

function wireMark(state) {
  if (state.parts.mark) state.parts.mark.onclick = () => toggleMarking(state);
}

function toggleMarking(state) {
  if (state.packed.closed) return;
  state.marking = !state.marking;
  if (state.marking) state.crop = false; // a point is marked in the whole slice
  requestDraw(state);
}

function openMark(state, mark) { // one that was made before, in voxels of the case's grid
  const step = state.packed.head.reduced;
  state.point = mark && { slice: mark.slice_index, row: Math.floor(mark.row / step), column: Math.floor(mark.column / step) };
}

function placeMark(state, panel, event) {
  const at = pointAt(panel, event);
  if (!at || !insideGrid(state, at)) return;
  const { head } = state.packed;
  state.point = { slice: state.slice, row: Math.floor(at.row), column: Math.floor(at.column) };
  state.marking = false;
  const middle = Math.floor(head.reduced / 2);
  state.send('mark', { slice_index: state.point.slice, row: state.point.row * head.reduced + middle,
    column: state.point.column * head.reduced + middle });
  requestDraw(state);
}

function drawMark(state, panel, context, ratio) { // faint on the two slices beside it
  const { point } = state;
  if (!point || state.crop || Math.abs(point.slice - state.slice) > 1) return;
  const x = panel.at.x + (point.column + 0.5) * panel.at.kx;
  const y = panel.at.y + (point.row + 0.5) * panel.at.ky;
  const arm = MARK_PX * ratio;
  context.globalAlpha = point.slice === state.slice ? 1 : 0.4;
  for (const [colour, width] of [['rgba(0, 0, 0, 0.7)', 4], [MARK_COLOUR, 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width * ratio;
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    context.stroke();
  }
  context.globalAlpha = 1;
}

function sayMark(state) {
  const { parts, point } = state;
  if (!parts.mark) return;
  parts.mark.hidden = state.packed.closed;
  parts.mark.setAttribute('aria-pressed', String(state.marking));
  parts['mark-said'].textContent = state.marking ? 'Click the place in any panel.'
    : point ? `Marked on slice ${point.slice + 1}` : '';
}
