import { Home } from "./components/home";

export const dynamic = "force-dynamic"; // the servers are those of the environment that it runs in

/** A STUN server shows the caller's address outside of a NAT; behind strict firewalls add a TURN server. */
const iceServers = () => [{ urls: process.env.STUN_URL ?? "stun:stun.l.google.com:19302" }];

export default function Page() {
  return <Home iceServers={iceServers()} />;
}
