import type { ReactNode } from "react";

export const metadata = { title: "Cleo", icons: "data:," };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="es">
      <body style={{ fontFamily: "system-ui", margin: "2rem" }}>{children}</body>
    </html>
  );
}
