"use strict";
// What the page says, in the languages of its users.
const WORDS = {
  en: {
    title: "Talk to Cleo", start: "Start call", stop: "Hang up", mute: "Mute", unmute: "Unmute",
    idle: "Press the button to begin.", asking: "Asking for the microphone …", connecting: "Connecting …",
    listening: "Listening", ended: "The call is over.",
    denied: "The microphone was refused. Allow it in the browser's settings, and try again.",
    missing: "No microphone was found. Plug one in, and try again.",
    failed: "The call could not be made. Please try again.",
    late: "The connection was not made in time. Please try again.",
    weak: "The network is weak. One moment …", again: "The connection was lost. Calling again …",
    lost: "The connection was lost.", login: "Please log in", password: "Password", enter: "Log in",
  },
  es: {
    title: "Habla con Cleo", start: "Iniciar llamada", stop: "Colgar", mute: "Silenciar", unmute: "Reactivar",
    idle: "Pulsa el botón para empezar.", asking: "Pidiendo el micrófono …", connecting: "Conectando …",
    listening: "Escuchando", ended: "La llamada ha terminado.",
    denied: "No hay permiso para el micrófono. Permítelo en los ajustes del navegador e inténtalo otra vez.",
    missing: "No se ha encontrado ningún micrófono. Conecta uno e inténtalo otra vez.",
    failed: "No se pudo hacer la llamada. Inténtalo otra vez.",
    late: "La conexión no llegó a tiempo. Inténtalo otra vez.",
    weak: "La red es débil. Un momento …", again: "Se perdió la conexión. Llamando otra vez …",
    lost: "Se perdió la conexión.", login: "Inicia sesión", password: "Contraseña", enter: "Entrar",
  },
};
