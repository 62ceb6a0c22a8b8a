// Asks OpenAI for its models with every client that Node.js has here, and tells who was answered, as JSON.
import { fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { Worker, isMainThread } from 'node:worker_threads'
import { request } from 'node:https'
import { connect } from 'node:tls'

const [role, packages] = process.argv.slice(2)
const key = { Authorization: 'Bearer sk-test' }
const url = 'https://api.openai.com/v1/models'

const fetched = async () => (await (await fetch(url, { headers: key })).json()).object

if (!isMainThread || role === 'forked') {
  const object = await fetched()
  if (isMainThread) process.send(object)
  else (await import('node:worker_threads')).parentPort.postMessage(object)
} else {
  const require = createRequire(packages + '/')
  const told = {}
  const attempt = async (name, ask) => {
    try {
      told[name] = await ask()
    } catch (error) {
      told[name] = `${error}: ${error.cause ?? ''}`
    }
  }
  await attempt('fetch', fetched)
  await attempt('fetch again', fetched) // over the connection that was kept
  await attempt('https', () => new Promise((resolve, reject) => {
    request(url, { headers: key }, (response) => {
      let text = ''
      response.on('data', (chunk) => { text += chunk })
      response.on('end', () => resolve(JSON.parse(text).object))
    }).on('error', reject).end()
  }))
  await attempt('openai', async () => {
    const OpenAI = require('openai')
    return (await new (OpenAI.default ?? OpenAI)({ apiKey: 'sk-test' }).models.list()).data.length > 0
  })
  await attempt('ws', () => new Promise((resolve, reject) => {
    const socket = new (require('ws'))('wss://api.openai.com/v1/realtime?model=gpt-realtime', { headers: key })
    socket.on('message', (data) => { resolve(JSON.parse(data).type); socket.close() }).on('error', reject)
  }))
  await attempt('worker', () => new Promise((resolve, reject) => {
    new Worker(new URL(import.meta.url)).on('message', resolve).on('error', reject)
  }))
  await attempt('forked', () => new Promise((resolve, reject) => {
    fork(new URL(import.meta.url), ['forked']).on('message', resolve).on('error', reject)
  }))
  await attempt('another host', () => new Promise((resolve) => {
    connect({ host: '127.0.0.1', port: 9, servername: 'example.com' }).on('error', (error) => resolve(error.code))
  }))
  console.log(JSON.stringify(told))
  process.exit(0)
}
