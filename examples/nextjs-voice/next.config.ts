import type { NextConfig } from "next";

const config: NextConfig = {
  // React calls effects twice in development otherwise: a call would be cleaned up as soon as it is set up.
  reactStrictMode: true,
  devIndicators: false,
};

export default config;
