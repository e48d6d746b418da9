// What is painted.

function requestDraw(state) {
  if (state.packed && !state.frame) {
    state.frame = requestAnimationFrame(() => {
      state.frame = 0;
      draw(state);
    });
  }
}

function squareOf(state) {
  return state.packed.head.squares.find((square) => square.slice === state.slice);
}

function draw(state) {
  const square = squareOf(state);
  const hasMap = prepareMap(state, square);
  for (const panel of state.panels) drawPanel(state, panel, square, hasMap);
  sayState(state, square);
}

function prepareGrey(state, panel) {
  const { head, volumes } = state.packed;
  const tableKey = panel.window.join();
  const key = `${state.slice}|${tableKey}|${state.packed.high.has(state.slice)}|${state.packed.low.has(state.slice)}`;
  if (panel.drawn === key) return;
  if (panel.tableKey !== `${state.id}|${tableKey}`) {
    const slope = head.slopes[panel.index];
    const offset = head.offsets[panel.index];
    const [low, high] = panel.window;
    const scale = 255 / Math.max(1e-9, high - low);
    for (let i = 0; i < 65536; i += 1) {
      const value = (i * slope + offset - low) * scale;
      panel.table[i] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
    panel.tableKey = `${state.id}|${tableKey}`;
  }
  const [first, firstRow, firstColumn, slices, rows, columns] = head.box;
  const pixels = new Uint32Array(panel.image.data.buffer);
  const grey = (level) => 0xff000000 + 0x010101 * panel.table[level]; // alpha comes last in memory, so that it is the highest byte
  pixels.fill(grey(head.background[panel.index])); // outside the box that was sent
  const place = state.slice - first;
  const values = volumes[panel.index];
  for (let row = 0; place >= 0 && place < slices && row < rows; row += 1) {
    const from = (place * rows + row) * columns;
    const to = (firstRow + row) * head.shape[2] + firstColumn;
    for (let column = 0; column < columns; column += 1) pixels[to + column] = grey(values[from + column]);
  }
  panel.context.putImageData(panel.image, 0, 0);
  panel.drawn = key;
}

function prepareSample(state, panel, square) { // in the window at the start, exactly what the network was given
  const { head, samples } = state.packed;
  const place = head.squares.indexOf(square) * head.names.length + panel.index;
  const key = `${place}|${panel.window.join()}|${state.packed.sampled}`;
  if (panel.sampled === key) return;
  const [first, last] = head.windows[panel.index];
  const [low, high] = panel.window;
  const scale = 255 / Math.max(1e-9, high - low);
  const side = head.samplePx;
  const context = panel.sample.getContext('2d');
  const image = context.createImageData(side, side);
  for (let i = 0, j = place * side * side; i < side * side; i += 1, j += 1) {
    const grey = Math.round((first + (samples[j] / 255) * (last - first) - low) * scale);
    image.data.fill(Math.min(255, Math.max(0, grey)), 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  panel.sampled = key;
}

function drawPanel(state, panel, square, hasMap) {
  const { head } = state.packed;
  const [, rows, columns] = head.shape;
  const [, rowMm, columnMm] = head.spacing;
  const { canvas } = panel;
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.parentElement.clientWidth * ratio));
  const shape = Math.min(1.2, Math.max(0.7, (rows * rowMm) / (columns * columnMm)));
  const height = Math.round(width * shape);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d');
  panel.at = null;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = '#000';
  context.fillRect(0, 0, width, height);
  const shown = state.crop && square
    ? { row: square.row, column: square.column, rows: square.size, columns: square.size }
    : { row: 0, column: 0, rows, columns };
  const pxPerMm = Math.min(width / (shown.columns * columnMm), height / (shown.rows * rowMm)) * state.zoom;
  if (state.crop && !square) {
    write(context, ratio, 'The network did not see this slice', width / 2, height / 2, 'center', 'middle');
  } else {
    const kx = pxPerMm * columnMm;
    const ky = pxPerMm * rowMm;
    // the upper left corner of the grid on the canvas
    const x = width / 2 + state.panX * width - (shown.column + shown.columns / 2) * kx;
    const y = height / 2 + state.panY * width - (shown.row + shown.rows / 2) * ky;
    panel.at = { x, y, kx, ky };
    context.save();
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = 'high';
    if (state.crop) {
      context.beginPath();
      context.rect(x + shown.column * kx, y + shown.row * ky, shown.columns * kx, shown.rows * ky);
      context.clip();
    }
    if (state.crop && head.samplePx) {
      prepareSample(state, panel, square);
      context.imageSmoothingEnabled = false; // its own pixels
      context.drawImage(panel.sample, x + square.column * kx, y + square.row * ky, square.size * kx, square.size * ky);
      context.imageSmoothingEnabled = true;
    } else {
      prepareGrey(state, panel);
      context.drawImage(panel.grey, x, y, columns * kx, rows * ky);
    }
    if (square) drawSquare(state, context, ratio, square, { x, y, kx, ky }, hasMap);
    context.restore();
    drawRegion(state, panel, context, ratio);
    drawMark(state, panel, context, ratio);
    drawCrosshair(state, panel, context, ratio);
  }
  drawMarks(state, panel, context, ratio, width, height, pxPerMm);
  const [low, high] = panel.window;
  const bar = BARS_MM.find((one) => one * pxPerMm <= width / BAR_SHARE);
  const scale = bar ? `, scale bar ${barLength(bar)}` : '';
  canvas.setAttribute('aria-label', `${panel.name}, slice ${state.slice + 1} of ${head.shape[0]}${scale}, window ` +
    `${Math.round(high - low)}, level ${Math.round((high + low) / 2)}${hasMap && state.overlay ? ', with map' : ''}`);
}

function drawSquare(state, context, ratio, square, at, hasMap) {
  const box = [at.x + square.column * at.kx, at.y + square.row * at.ky, square.size * at.kx, square.size * at.ky];
  if (hasMap && state.overlay) {
    context.globalAlpha = state.opacity;
    context.drawImage(state.map, ...box);
    context.globalAlpha = 1;
  }
  if (state.crop) return;
  context.lineWidth = 1.25 * ratio;
  context.strokeStyle = SQUARE_COLOUR;
  context.strokeRect(...box);
}

function drawMarks(state, panel, context, ratio, width, height, pxPerMm) {
  const edge = 8 * ratio;
  write(context, ratio, panel.name, edge, edge, 'left', 'top', 600);
  const letters = edgeLetters(state.packed.head.placement);
  if (letters) {
    write(context, ratio, letters.left, edge, height / 2, 'left', 'middle');
    write(context, ratio, letters.right, width - edge, height / 2, 'right', 'middle');
    write(context, ratio, letters.top, width / 2, edge, 'center', 'top');
    if (width > 240 * ratio) write(context, ratio, letters.bottom, width / 2, height - edge, 'center', 'bottom'); // else no room
  }
  const [low, high] = panel.window;
  const window_ = `W ${Math.round(high - low)}  L ${Math.round((high + low) / 2)}`;
  write(context, ratio, window_, width - edge, height - edge, 'right', 'bottom');
  const mm = BARS_MM.find((one) => one * pxPerMm <= width / BAR_SHARE);
  if (!mm) return;
  const length = mm * pxPerMm;
  const y = height - edge - 1 * ratio;
  context.fillStyle = '#000';
  context.fillRect(edge - ratio, y - 2 * ratio, length + 2 * ratio, 4 * ratio);
  context.fillStyle = '#E8EEF3';
  context.fillRect(edge, y - ratio, length, 2 * ratio);
  for (let at = 10; at < mm; at += 10) context.fillRect(edge + at * pxPerMm, y - 3 * ratio, ratio, 6 * ratio); // each cm
  write(context, ratio, barLength(mm), edge, y - 4 * ratio, 'left', 'bottom');
}

function write(context, ratio, text, x, y, align, baseline, weight = 400) {
  context.font = `${weight} ${12 * ratio}px sans-serif`;
  context.textAlign = align;
  context.textBaseline = baseline;
  context.lineWidth = 3 * ratio;
  context.lineJoin = 'round';
  context.strokeStyle = 'rgba(0, 0, 0, 0.75)';
  context.strokeText(text, x, y);
  context.fillStyle = '#E8EEF3';
  context.fillText(text, x, y);
}
