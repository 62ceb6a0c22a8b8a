// The measured end on Pion, for comparison: it answers the same questions as near_end.py, with the same far end.
//
// One ticker sends for all calls, as cheaply as Pion lets it: what it carries is RTP that was encoded beforehand.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc" // v3, where Debian's golang-github-pion-webrtc.v3-dev lays it
)

const (
	frame      = 20 * time.Millisecond
	atOnce     = 8 // calls that are being set up
	patience   = 30 * time.Second
	settle     = time.Second
	clockSteps = 960 // of 48 kHz in a frame
)

type question struct {
	Packets []string `json:"packets"`
	Calls   int      `json:"calls"`
	Seconds float64  `json:"seconds"`
	Churn   int      `json:"churn"`
}

// far is the other end, a process that answers each line of JSON with one.
type far struct {
	mutex sync.Mutex
	in    io.WriteCloser
	out   *bufio.Reader
}

func startFar(core, python string) *far {
	command := exec.Command("taskset", "-c", core, python, "-m", "tools.bench.far_end", "ours")
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	must(err)
	out, err := command.StdoutPipe()
	must(err)
	must(command.Start())
	return &far{in: in, out: bufio.NewReaderSize(out, 1<<20)}
}

func (f *far) ask(what map[string]any) map[string]any {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	line, err := json.Marshal(what)
	must(err)
	_, err = f.in.Write(append(line, '\n'))
	must(err)
	answer, err := f.out.ReadBytes('\n')
	must(err)
	found := map[string]any{}
	must(json.Unmarshal(answer, &found))
	return found
}

type call struct {
	connection *webrtc.PeerConnection
	track      *webrtc.TrackLocalStaticRTP
	opened     chan struct{}
	at         int // of the packets
	sequence   uint16
	timestamp  uint32
	received   atomic.Uint64
}

var (
	api     *webrtc.API
	packets [][]byte
)

func newAPI() *webrtc.API {
	media := &webrtc.MediaEngine{}
	must(media.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2},
		PayloadType:        111,
	}, webrtc.RTPCodecTypeAudio))
	registry := &interceptor.Registry{}
	must(webrtc.ConfigureRTCPReports(registry))
	setting := webrtc.SettingEngine{}
	setting.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	setting.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	setting.SetIncludeLoopbackCandidate(true)
	return webrtc.NewAPI(
		webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(setting),
	)
}

func setUp(end *far) *call {
	connection, err := api.NewPeerConnection(webrtc.Configuration{})
	must(err)
	track, err := webrtc.NewTrackLocalStaticRTP(
		webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "voice", "voice",
	)
	must(err)
	sender, err := connection.AddTrack(track)
	must(err)
	made := &call{connection: connection, track: track, opened: make(chan struct{})}
	go drain(sender)
	connection.OnTrack(func(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		go drain(receiver)
		buffer := make([]byte, 1500)
		for {
			if _, _, err := remote.Read(buffer); err != nil {
				return
			}
			made.received.Add(1)
		}
	})
	channel, err := connection.CreateDataChannel("oai-events", nil)
	must(err)
	channel.OnOpen(func() { close(made.opened) })
	offer, err := connection.CreateOffer(nil)
	must(err)
	gathered := webrtc.GatheringCompletePromise(connection)
	must(connection.SetLocalDescription(offer))
	<-gathered
	answered := end.ask(map[string]any{"offer": connection.LocalDescription().SDP})
	must(connection.SetRemoteDescription(webrtc.SessionDescription{
		Type: webrtc.SDPTypeAnswer, SDP: answered["answer"].(string),
	}))
	select {
	case <-made.opened:
	case <-time.After(patience):
		must(fmt.Errorf("a call did not connect within %s", patience))
	}
	return made
}

type reader interface {
	Read([]byte) (int, interceptor.Attributes, error)
}

// drain lets the reports through that are asked of each stream.
func drain(reports reader) {
	buffer := make([]byte, 1500)
	for {
		if _, _, err := reports.Read(buffer); err != nil {
			return
		}
	}
}

func (c *call) send() {
	header := rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: c.sequence, Timestamp: c.timestamp}
	_ = c.track.WriteRTP(&rtp.Packet{Header: header, Payload: packets[c.at%len(packets)]})
	c.at++
	c.sequence++
	c.timestamp += clockSteps
}

// talk sends for every call at each deadline, until it is stopped.
func talk(calls []*call, stop chan struct{}) {
	ticker := time.NewTicker(frame)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			for _, each := range calls {
				each.send()
			}
		}
	}
}

func measure(end *far, number int, seconds float64) map[string]any {
	calls := make([]*call, number)
	places := make(chan struct{}, atOnce)
	var waiting sync.WaitGroup
	for i := range calls {
		waiting.Add(1)
		go func(i int) {
			defer waiting.Done()
			places <- struct{}{}
			calls[i] = setUp(end)
			<-places
		}(i)
	}
	waiting.Wait()
	stop := make(chan struct{})
	go talk(calls, stop)
	time.Sleep(settle)
	before, began, cpu := received(calls), time.Now(), cpuSeconds()
	for passed := 0.0; passed < seconds; passed++ {
		time.Sleep(time.Second)
		for _, each := range calls {
			each.connection.GetStats() // as asked of ours, once a second
		}
	}
	used, talked := cpuSeconds()-cpu, time.Since(began).Seconds()
	after := received(calls)
	counted := end.ask(map[string]any{"count": true})
	close(stop)
	for _, each := range calls {
		must(each.connection.Close())
	}
	end.ask(map[string]any{"close": true})
	per := 1 / (float64(number) * talked)
	return map[string]any{
		"calls": number, "seconds": talked, "cpu_ms_per_call_second": 1000 * used * per, "core_share": used / talked,
		"received_per_call_second": float64(after-before) * per, "lost_far": counted["lost"],
	}
}

func churn(end *far, number int) map[string]any {
	var cpu float64
	for round, many := range []int{3, number} { // the first is for what is loaded and made only once
		cpu = cpuSeconds()
		for i := 0; i < many; i++ {
			made := setUp(end)
			must(made.connection.Close())
			end.ask(map[string]any{"close": true})
		}
		_ = round
	}
	return map[string]any{"set_up_cpu_ms": 1000 * (cpuSeconds() - cpu) / float64(number)}
}

func received(calls []*call) (sum uint64) {
	for _, each := range calls {
		sum += each.received.Load()
	}
	return sum
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pion:", err)
		os.Exit(1)
	}
}

func main() {
	api = newAPI()
	end := startFar(os.Args[1], os.Args[2])
	defer end.in.Close()
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		asked := question{}
		must(json.Unmarshal(line, &asked))
		var answer map[string]any
		switch {
		case len(asked.Packets) > 0:
			for _, each := range asked.Packets {
				packet, err := base64.StdEncoding.DecodeString(each)
				must(err)
				packets = append(packets, packet)
			}
			answer = map[string]any{"packets": len(packets)}
		case asked.Churn > 0:
			answer = churn(end, asked.Churn)
		default:
			answer = measure(end, asked.Calls, asked.Seconds)
		}
		text, err := json.Marshal(answer)
		must(err)
		fmt.Println(string(text))
	}
}
