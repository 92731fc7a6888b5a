// The 106 landmarks of a face that beauty effects work on: contour 33, brows 18,
// nose 15, eyes 20, mouth 20. Coordinates are parts of the picture's width and height.

const arc = (n, cx, cy, rx, ry, from, to) => Array.from({ length: n }, (_, i) => {
  const angle = from + ((to - from) * i) / (n - 1);
  return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
});
const line = (n, [x1, y1], [x2, y2]) => Array.from({ length: n }, (_, i) => [x1 + ((x2 - x1) * i) / (n - 1), y1 + ((y2 - y1) * i) / (n - 1)]);
const turn = 2 * Math.PI;

export function faceLandmarks() {
  const points = [
    ...arc(33, 0.5, 0.43, 0.235, 0.155, -0.06 * Math.PI, 1.06 * Math.PI),
    ...arc(9, 0.397, 0.395, 0.07, 0.020, Math.PI, turn),
    ...arc(9, 0.603, 0.395, 0.07, 0.020, Math.PI, turn),
    ...line(6, [0.5, 0.412], [0.5, 0.462]),
    ...arc(9, 0.5, 0.462, 0.048, 0.016, 0, Math.PI),
    ...arc(10, 0.4, 0.413, 0.043, 0.0105, 0, turn * 0.9),
    ...arc(10, 0.6, 0.413, 0.043, 0.0105, 0, turn * 0.9),
    ...arc(12, 0.5, 0.511, 0.085, 0.021, 0, turn * 11 / 12),
    ...arc(8, 0.5, 0.511, 0.055, 0.008, 0, turn * 7 / 8),
  ];
  const shake = () => (Math.random() - 0.5) * 0.003;
  return points.map(([x, y]) => [+(x + shake()).toFixed(5), +(y + shake() / 2).toFixed(5)]);
}
