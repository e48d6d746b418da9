// Draw a square region over a range of slices. Python hears of it once, when it is confirmed.
const SMALLEST_REGION = 4; // pixels as sent: less is taken for a click
const REGION_COLOUR = '#69F0AE';

function wireRegion(state) {
  const { parts } = state;
  if (!parts.draw) return; // this viewer draws no region
  parts.draw.onclick = () => toggleDrawing(state);
  parts['first-slice'].onclick = () => setRange(state, 'first');
  parts['last-slice'].onclick = () => setRange(state, 'last');
  parts['use-region'].onclick = () => confirmRegion(state);
  parts['discard-region'].onclick = () => discardRegion(state);
}

function toggleDrawing(state) {
  state.drawing = !state.drawing;
  state.crop = false; // a region is drawn in the whole slice
  requestDraw(state);
}

function startRegion(state, panel, event) {
  const point = pointAt(panel, event);
  state.corner = point && insideGrid(state, point) ? point : null;
}

function dragRegion(state, panel, event) { // square, in whole pixels, from the corner where the drag began
  const point = pointAt(panel, event);
  if (!state.corner || !point) return;
  const [, rows, columns] = state.packed.head.shape;
  const down = point.row >= state.corner.row;
  const right = point.column >= state.corner.column;
  const row = down ? Math.floor(state.corner.row) : Math.ceil(state.corner.row);
  const column = right ? Math.floor(state.corner.column) : Math.ceil(state.corner.column);
  const room = Math.min(down ? rows - row : row, right ? columns - column : column);
  const wished = Math.max(Math.abs(point.row - state.corner.row), Math.abs(point.column - state.corner.column));
  const size = Math.min(room, Math.round(wished));
  if (size < SMALLEST_REGION) return;
  const { first, last } = state.region ?? { first: state.slice, last: state.slice };
  state.region = { row: down ? row : row - size, column: right ? column : column - size, size,
    first: Math.min(first, state.slice), last: Math.max(last, state.slice) };
  state.confirmed = false;
  requestDraw(state);
}

function insideGrid(state, { row, column }) {
  const [, rows, columns] = state.packed.head.shape;
  return row >= 0 && column >= 0 && row < rows && column < columns;
}

function setRange(state, end) { // the region begins or ends at the slice that is shown
  if (!state.region) return;
  state.region[end] = state.slice;
  if (end === 'first') state.region.last = Math.max(state.region.last, state.slice);
  else state.region.first = Math.min(state.region.first, state.slice);
  state.confirmed = false;
  requestDraw(state);
}

function confirmRegion(state) {
  if (!state.region || state.confirmed) return;
  const { row, column, size, first, last } = state.region;
  const step = state.packed.head.reduced;
  state.confirmed = true;
  state.drawing = false;
  state.send('region', { row: row * step, column: column * step, size_px: size * step, first_slice: first,
    last_slice: last });
  requestDraw(state);
}

function discardRegion(state) {
  state.region = state.corner = null;
  state.drawing = state.confirmed = false;
  requestDraw(state);
}

function runRegionKey(state, key, target) {
  if (!state.parts.draw) return false;
  if (key === 'd' || key === 'D') toggleDrawing(state);
  else if (!state.region) {
    if (key !== 'Escape' || !state.drawing) return false;
    discardRegion(state);
  } else if (key === 'f' || key === 'F') setRange(state, 'first');
  else if (key === 'l' || key === 'L') setRange(state, 'last');
  else if (key === 'Escape' && !state.confirmed) discardRegion(state);
  else if (key === 'Enter' && target.tagName !== 'BUTTON' && !state.confirmed) confirmRegion(state);
  else return false;
  return true;
}

function drawRegion(state, panel, context, ratio) {
  const { region } = state;
  if (!region || state.crop) return;
  const { at } = panel;
  const within = state.slice >= region.first && state.slice <= region.last;
  context.lineWidth = 1.75 * ratio;
  context.strokeStyle = REGION_COLOUR;
  context.setLineDash(within ? [] : [3 * ratio, 5 * ratio]);
  context.globalAlpha = within ? 1 : 0.5;
  context.strokeRect(at.x + region.column * at.kx, at.y + region.row * at.ky, region.size * at.kx, region.size * at.ky);
  context.globalAlpha = 1;
  context.setLineDash([]);
}

function sayRegion(state) {
  const { parts, region, packed: { head } } = state;
  if (!parts.draw) return;
  parts.draw.setAttribute('aria-pressed', String(state.drawing));
  for (const name of ['first-slice', 'last-slice', 'use-region', 'discard-region']) parts[name].disabled = !region;
  parts['use-region'].disabled = !region || state.confirmed;
  parts['region-said'].textContent = describeRegion(state, region, head);
}

function describeRegion(state, region, head) {
  if (!region) return state.drawing ? 'Drag a square over the tumour in any panel.' : '';
  const [wide, high] = [head.spacing[2], head.spacing[1]].map((mm) => Math.round(region.size * mm));
  const slices = region.first === region.last ? `slice ${region.first + 1}` : `slices ${region.first + 1} to ${region.last + 1}`;
  return `${state.confirmed ? 'Taken over: ' : ''}${wide} × ${high} mm, ${slices}`;
}
