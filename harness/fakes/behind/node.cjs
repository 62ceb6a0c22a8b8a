// Preloaded into Node.js by `harness behind`: TLS connections to the hosts named in HARNESS_BEHIND_HOSTS are made
// to the fake instead, in the clear. Every client of Node's (fetch, undici, http, https, ws, axios) ends in
// tls.connect, so this is the only place that is changed.
'use strict'

const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const tls = require('node:tls')

const hosts = (process.env.HARNESS_BEHIND_HOSTS || '').split(',').filter(Boolean)
const fake = new URL(process.env.HARNESS_BEHIND || 'http://127.0.0.1:9')
const seen = process.env.HARNESS_BEHIND_SEEN || ''
const connectTls = tls.connect

function tell (file) {
  if (!seen) return
  try {
    fs.appendFileSync(path.join(seen, file), `${process.pid} node ${process.version}\n`)
  } catch {} // `harness behind` is over, and this process is not
}

// tls.connect(options[, callback]), (port[, host][, options][, callback]) or (path[, options][, callback])
function asked (given) {
  const options = {}
  let callback
  given.forEach((each, index) => {
    if (typeof each === 'function') callback = each
    else if (each !== null && typeof each === 'object') Object.assign(options, each)
    else if (index === 0 && typeof each !== 'string') options.port = each
    else if (index === 0 && /^\d+$/.test(each)) options.port = each
    else if (index === 1 && typeof each === 'string') options.host = each
  })
  return { options, callback }
}

function isOurs (options) {
  const names = [options.servername, options.host, options.hostname]
  return names.some((name) => typeof name === 'string' && hosts.includes(name.toLowerCase().replace(/\.$/, '')))
}

function connectInTheClear (options, callback) {
  tell('connected')
  if (options.socket && typeof options.socket.destroy === 'function') options.socket.destroy() // to a proxy
  const socket = net.connect({
    host: fake.hostname.replace(/^\[|\]$/g, ''),
    port: Number(fake.port || 80),
    highWaterMark: options.highWaterMark
  })
  // What clients ask of a TLSSocket.
  Object.assign(socket, {
    encrypted: true,
    authorized: true,
    authorizationError: null,
    alpnProtocol: false,
    servername: options.servername || options.host,
    getPeerCertificate: () => ({}),
    getPeerX509Certificate: () => undefined,
    getCertificate: () => ({}),
    getCipher: () => ({ name: 'none', standardName: 'none', version: 'none' }),
    getProtocol: () => null,
    getSession: () => undefined,
    getTLSTicket: () => undefined,
    getFinished: () => undefined,
    getPeerFinished: () => undefined,
    getEphemeralKeyInfo: () => ({}),
    getSharedSigalgs: () => [],
    isSessionReused: () => false,
    setMaxSendFragment: () => true,
    setServername: () => {},
    setSession: () => {},
    disableRenegotiation: () => {},
    renegotiate: () => false,
    enableTrace: () => {},
    exportKeyingMaterial: () => Buffer.alloc(0)
  })
  if (options.timeout) socket.setTimeout(options.timeout)
  socket.once('connect', () => {
    socket.emit('secure')
    socket.emit('secureConnect')
  })
  if (callback) socket.once('secureConnect', callback)
  return socket
}

if (hosts.length > 0) {
  tls.connect = function connect (...given) {
    const { options, callback } = asked(given)
    return isOurs(options) ? connectInTheClear(options, callback) : connectTls.apply(this, given)
  }
  require('node:module').syncBuiltinESMExports?.() // for `import { connect } from 'node:tls'`
  tell('loaded')
}
