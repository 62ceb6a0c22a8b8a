// What the page says, by state and by problem.
export const STATES = {
  asking: "Pidiendo el micrófono …",
  connecting: "Conectando …",
  listening: "Escuchando",
  ended: "Llamada terminada",
};
export const PROBLEMS = {
  denied: "No se permitió el micrófono. Permítelo en el navegador y vuelve a llamar.",
  missing: "No hay ningún micrófono.",
  late: "La llamada no se pudo abrir a tiempo. Inténtalo de nuevo.",
  lost: "Se perdió la conexión.",
  failed: "La llamada falló. Inténtalo de nuevo.",
};
