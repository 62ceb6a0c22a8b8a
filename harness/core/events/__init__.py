"""What can happen in a call. Both ends record the same kinds; `side` says whose view it is.

Every event is frozen and carries `at`, in seconds since its timeline began. The tag `kind` names it in
JSON lines. Bodies and events are recorded after redaction.
"""

from __future__ import annotations

from harness.core.events.arrivals import AnyArrival as AnyArrival
from harness.core.events.arrivals import ArrivalsRead as ArrivalsRead
from harness.core.events.arrivals import ArrivedPart as ArrivedPart
from harness.core.events.arrivals import RequestArrived as RequestArrived
from harness.core.events.arrivals import Tie as Tie
from harness.core.events.base import Event as Event
from harness.core.events.base import Headers as Headers
from harness.core.events.base import Layer as Layer
from harness.core.events.base import Side as Side
from harness.core.events.base import kebab as kebab
from harness.core.events.call import CallBeside as CallBeside
from harness.core.events.call import CallEnded as CallEnded
from harness.core.events.call import CallStarted as CallStarted
from harness.core.events.call import CallWithheld as CallWithheld
from harness.core.events.call import HarnessFailed as HarnessFailed
from harness.core.events.call import PacingMeasured as PacingMeasured
from harness.core.events.call import SecretSeen as SecretSeen
from harness.core.events.call import Stalled as Stalled
from harness.core.events.call import StepEnded as StepEnded
from harness.core.events.call import StepStarted as StepStarted
from harness.core.events.call import UpstreamUnavailable as UpstreamUnavailable
from harness.core.events.call import VerbUnavailable as VerbUnavailable
from harness.core.events.call import WaitExpired as WaitExpired
from harness.core.events.channel import ClientEvent as ClientEvent
from harness.core.events.channel import EventInvalid as EventInvalid
from harness.core.events.channel import EventUnsent as EventUnsent
from harness.core.events.channel import ServerEvent as ServerEvent
from harness.core.events.connectivity import CandidateFound as CandidateFound
from harness.core.events.connectivity import ChecksCounted as ChecksCounted
from harness.core.events.connectivity import IceServerTried as IceServerTried
from harness.core.events.connectivity import PacketMalformed as PacketMalformed
from harness.core.events.connectivity import PairSelected as PairSelected
from harness.core.events.connectivity import StateChanged as StateChanged
from harness.core.events.media import AudioCompared as AudioCompared
from harness.core.events.media import AudioPlayed as AudioPlayed
from harness.core.events.media import AudioSent as AudioSent
from harness.core.events.media import BeginningCompared as BeginningCompared
from harness.core.events.media import HearingStarted as HearingStarted
from harness.core.events.media import MarkHeard as MarkHeard
from harness.core.events.media import MicrophoneChanged as MicrophoneChanged
from harness.core.events.media import OtherCodecHeard as OtherCodecHeard
from harness.core.events.media import Packet as Packet
from harness.core.events.media import PacketsReceived as PacketsReceived
from harness.core.events.media import ReceiverReport as ReceiverReport
from harness.core.events.media import SendingStarted as SendingStarted
from harness.core.events.media import StretchHeard as StretchHeard
from harness.core.events.media import TranscriptCompared as TranscriptCompared
from harness.core.events.media import UtteranceEnded as UtteranceEnded
from harness.core.events.media import UtteranceStarted as UtteranceStarted
from harness.core.events.network import CallLost as CallLost
from harness.core.events.network import CallResumed as CallResumed
from harness.core.events.network import HerdCame as HerdCame
from harness.core.events.network import ImpairmentMeasured as ImpairmentMeasured
from harness.core.events.network import NetworkImpaired as NetworkImpaired
from harness.core.events.network import RelayRestarted as RelayRestarted
from harness.core.events.page import AnyPageEvent as AnyPageEvent
from harness.core.events.page import ButtonPressed as ButtonPressed
from harness.core.events.page import ChannelSilenced as ChannelSilenced
from harness.core.events.page import ClockMatched as ClockMatched
from harness.core.events.page import ConnectionMade as ConnectionMade
from harness.core.events.page import ConnectionUsed as ConnectionUsed
from harness.core.events.page import ListenerAdded as ListenerAdded
from harness.core.events.page import MicrophoneAsked as MicrophoneAsked
from harness.core.events.page import MicrophoneGiven as MicrophoneGiven
from harness.core.events.page import MicrophoneRefused as MicrophoneRefused
from harness.core.events.page import PageErred as PageErred
from harness.core.events.page import PageLeft as PageLeft
from harness.core.events.page import PageOpened as PageOpened
from harness.core.events.page import PlaybackChanged as PlaybackChanged
from harness.core.events.page import PlayPath as PlayPath
from harness.core.events.page import RequestMade as RequestMade
from harness.core.events.page import ScreenshotTaken as ScreenshotTaken
from harness.core.events.page import StatsTaken as StatsTaken
from harness.core.events.page import TextShown as TextShown
from harness.core.events.page import TrackChanged as TrackChanged
from harness.core.events.page import UserLeft as UserLeft
from harness.core.events.signaling import AnswerReceived as AnswerReceived
from harness.core.events.signaling import AnswerRejected as AnswerRejected
from harness.core.events.signaling import CallMarked as CallMarked
from harness.core.events.signaling import GatewayFound as GatewayFound
from harness.core.events.signaling import HttpFailed as HttpFailed
from harness.core.events.signaling import HttpRequest as HttpRequest
from harness.core.events.signaling import HttpResponse as HttpResponse
from harness.core.events.signaling import OfferCreated as OfferCreated
from harness.core.events.signaling import OfferTried as OfferTried
from harness.core.events.signaling import Part as Part
from harness.core.events.token import TokenKind as TokenKind
from harness.core.events.token import TokenMinted as TokenMinted
from harness.core.events.usage import UsageTold as UsageTold
from harness.core.events.usage import UsageUnit as UsageUnit
from harness.core.events.websocket import MessageOdd as MessageOdd
from harness.core.events.websocket import MessageProblem as MessageProblem
from harness.core.events.websocket import PlayoutCleared as PlayoutCleared
from harness.core.events.websocket import SocketClosed as SocketClosed
from harness.core.events.websocket import SocketMeasured as SocketMeasured
from harness.core.events.whip import SessionProblem as SessionProblem
from harness.core.events.whip import WhipSession as WhipSession

AnyEvent = (
    CallStarted
    | CallWithheld
    | CallBeside
    | VerbUnavailable
    | StepStarted
    | StepEnded
    | WaitExpired
    | CallEnded
    | HarnessFailed
    | Stalled
    | PacingMeasured
    | OfferCreated
    | OfferTried
    | OtherCodecHeard
    | HttpRequest
    | HttpResponse
    | HttpFailed
    | AnswerReceived
    | AnswerRejected
    | StateChanged
    | CandidateFound
    | IceServerTried
    | PairSelected
    | ChecksCounted
    | PacketMalformed
    | NetworkImpaired
    | ImpairmentMeasured
    | CallLost
    | CallResumed
    | HerdCame
    | RelayRestarted
    | ClientEvent
    | EventUnsent
    | ServerEvent
    | EventInvalid
    | UtteranceStarted
    | UtteranceEnded
    | MicrophoneChanged
    | SendingStarted
    | HearingStarted
    | PacketsReceived
    | StretchHeard
    | ReceiverReport
    | AudioPlayed
    | AudioSent
    | BeginningCompared
    | AudioCompared
    | TranscriptCompared
    | MarkHeard
    | SecretSeen
    | UpstreamUnavailable
    | AnyArrival
    | UsageTold
    | TokenMinted
    | AnyPageEvent
    | MessageOdd
    | GatewayFound
    | CallMarked
    | SocketClosed
    | SocketMeasured
    | PlayoutCleared
    | WhipSession
)
