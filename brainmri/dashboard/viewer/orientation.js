// Where the grid lies in the patient. Coordinates grow to the left (L), the back (P) and the head (S), in mm.
const TOWARDS = ['L', 'P', 'S'];
const AWAY = ['R', 'A', 'I'];
const OBLIQUE = Math.sin((20 * Math.PI) / 180); // a direction off by more than 20 degrees gets a second letter

function lettersOf(direction) { // the sides of the patient to which a unit vector points, the nearest first
  return [0, 1, 2]
    .filter((axis) => Math.abs(direction[axis]) >= OBLIQUE)
    .sort((a, b) => Math.abs(direction[b]) - Math.abs(direction[a]))
    .map((axis) => (direction[axis] > 0 ? TOWARDS : AWAY)[axis])
    .join('');
}

function opposite(direction) {
  return direction.map((share) => -share);
}

function edgeLetters(placement) {
  if (!placement) return null;
  return {
    left: lettersOf(opposite(placement.column)),
    right: lettersOf(placement.column),
    top: lettersOf(opposite(placement.row)),
    bottom: lettersOf(placement.row),
  };
}

function slicePosition(head, slice) { // along the slices' normal, from the scanner's origin
  if (!head.placement?.origin) return '';
  const { origin, slice: normal } = head.placement;
  const mm = origin.reduce((sum, share, axis) => sum + share * normal[axis], 0) + slice * head.spacing[0];
  return `${lettersOf(mm < 0 ? opposite(normal) : normal)[0]} ${Math.abs(mm).toFixed(1)} mm`;
}

function barLength(mm) {
  return mm >= 10 ? `${mm / 10} cm` : `${mm} mm`;
}
