
use builtin;
use str;

set edit:completion:arg-completer[p2pt] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'p2pt'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'p2pt'= {
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand peer-id 'print this user''s peer ID, making an identity on first use'
            cand rendezvous 'run the rendezvous service that introduces peers'
            cand check 'say what stands between here and there'
            cand connect 'a pipe between two peers, through NATs, encrypted'
            cand group 'groups: make, join, watch and post to them'
            cand post 'post to a group, and leave when members have it'
            cand multicast 'live streams to many, each of whom passes them on'
            cand replicate-file 'give files to many at once, each of whom gives them on'
            cand replicate 'give files to many at once, each of whom gives them on'
            cand route 'send messages along the ring of a group'
            cand store 'a group''s distributed storage: values by key'
            cand demo 'a rendezvous and peers on this machine, one command, real sockets'
            cand simulate 'let a group of thousands live in one process, and say how it fares'
            cand completions 'print the completions for a shell'
            cand man 'write the man pages into a folder'
            cand links 'make links such as p2pt-connect, which is p2pt connect'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;peer-id'= {
            cand -k 'Use the identity in FILE [env: P2PT_KEY]'
            cand --key 'Use the identity in FILE [env: P2PT_KEY]'
            cand --new 'Make a new identity; the old one is kept under another name'
            cand --flash 'Make the new identity one that RFC 7425 peers can authenticate'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;rendezvous'= {
            cand -l 'Listen on this UDP address [default: [::]:1935]'
            cand --listen 'Listen on this UDP address [default: [::]:1935]'
            cand --advertise 'The name to print in the address, when it is not the one listened on'
            cand --developer-keys 'Serve only those who show a key of this file'
            cand --redirect-to 'Send new clients to this server instead; may be repeated'
            cand --probe-from 'A second address of this machine from which to probe NATs'
            cand --keepalive 'Ask each client after this much silence whether it is there [default: 10s]'
            cand --hostname 'Answer also to clients that ask for a server of this name'
            cand -k 'Use the identity in FILE [env: P2PT_KEY]'
            cand --key 'Use the identity in FILE [env: P2PT_KEY]'
            cand --ready-fd 'Write one line to file descriptor N when ready'
            cand --ready-file 'Write that line to a file instead, whole or not at all'
            cand --flash 'Serve RTMFP clients that are not p2pt, too (RFC 7425)'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;check'= {
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;connect'= {
            cand --allow 'Let this peer in; may be repeated'
            cand --max-conns 'Serve at most N peers at once [default: 64]'
            cand -e 'Give the pipe to `sh -c CMD` instead of this terminal'
            cand --exec 'Give the pipe to `sh -c CMD` instead of this terminal'
            cand --to-tcp 'Join each peer to a TCP connection to HOST:PORT'
            cand --from-tcp 'Accept TCP connections here, and join each to the peer'
            cand --to-udp 'Pass datagrams to HOST:PORT'
            cand --from-udp 'Pass datagrams that arrive here to the peer'
            cand --messages 'Carry messages instead of bytes'
            cand --lifetime 'Drop a message that was not delivered in time'
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand -k 'Use the identity in FILE [env: P2PT_KEY]'
            cand --key 'Use the identity in FILE [env: P2PT_KEY]'
            cand --ready-fd 'Write one line to file descriptor N when ready'
            cand --ready-file 'Write that line to a file instead, whole or not at all'
            cand -l 'Wait for a peer instead of dialling one'
            cand --listen 'Wait for a peer instead of dialling one'
            cand --allow-any 'Let any peer in'
            cand --keep-open 'Go on after a peer has left, and serve several at once where each has its own command or connection'
            cand --recv-only 'Send nothing; standard input is not read'
            cand --send-only 'Receive nothing'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;group'= {
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand new 'make a groupspec'
            cand show 'decode a groupspec'
            cand join 'be a member: print others'' posts, post what is typed'
            cand members 'list the members that are known here'
            cand info 'the group as it is seen from here: size, neighbours, rates'
            cand post 'post to a group, and leave when members have it'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;group;new'= {
            cand -n 'The group''s name [default: p2pt]'
            cand --name 'The group''s name [default: p2pt]'
            cand -o 'Write to a new FILE, mode 0600, instead of standard output'
            cand --output 'Write to a new FILE, mode 0600, instead of standard output'
            cand --posting-password-file 'Posting needs the password in FILE; - is standard input'
            cand --posting-password-fd 'Posting needs the password in file descriptor N'
            cand --publish-password-file 'Publishing needs the password in FILE; - is standard input'
            cand --publish-password-fd 'Publishing needs the password in file descriptor N'
            cand --flash-salt 'A salt for their hashes'
            cand --bootstrap-peer 'A member to begin with; may be repeated'
            cand --ip-multicast 'An IP multicast address of the group, for one sender or any; may be repeated'
            cand --groupspec-version 'Groupspec version; 1 is for the oldest Flash Players [default: 2]'
            cand --guessable 'Add no random bytes: whoever sets the same options gets the same group'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand --posting 'Members post'
            cand --multicast 'Members multicast streams'
            cand --replication 'Members replicate objects'
            cand --routing 'Members route messages'
            cand --server-channel 'Members find each other through the rendezvous, too'
            cand --member-updates 'Members find each other by IP multicast, too'
            cand --no-peer-to-peer 'Members do not connect to each other: IP multicast alone'
            cand --posting-password 'Posting needs a password, which is generated'
            cand --publish-password 'Publishing streams needs a password, which is generated'
            cand --flash-passwords 'Write given passwords as Flash does: hashed, and in clear behind the groupspec'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;group;show'= {
            cand --without-passwords 'Print the groupspec alone, without Flash''s passwords in clear'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;group;join'= {
            cand -n 'Post under this nickname: a claim, shown with the peer ID'
            cand --nick 'Post under this nickname: a claim, shown with the peer ID'
            cand --receive-mode 'Take routed messages for one''s own address only, or for all that one is nearest to [default: nearest]'
            cand --retention 'Keep posts this long for those who missed them [default: 5m]'
            cand --posting-password-file 'Read the posting password from FILE; - is standard input'
            cand --posting-password-fd 'Read the posting password from file descriptor N'
            cand --neighbor 'A member to connect to at once; may be repeated'
            cand -w 'With --send-only: give up when no member was found for this long [default: 30s]'
            cand --timeout 'With --send-only: give up when no member was found for this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand -k 'Use the identity in FILE [env: P2PT_KEY]'
            cand --key 'Use the identity in FILE [env: P2PT_KEY]'
            cand --ready-fd 'Write one line to file descriptor N when ready'
            cand --ready-file 'Write that line to a file instead, whole or not at all'
            cand --echo 'Print one''s own posts, too'
            cand --recv-only 'Post nothing; standard input is not read'
            cand --send-only 'Print nothing, and leave after the end of standard input'
            cand -0 'Posts end with a NUL instead of a newline, in and out'
            cand --nul 'Posts end with a NUL instead of a newline, in and out'
            cand --anonymous 'Sign with a fresh key instead of the user''s identity'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;group;members'= {
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand --alone 'Join for this call alone, even if p2pt group join runs here for the same group'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;group;info'= {
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand --alone 'Join for this call alone, even if p2pt group join runs here for the same group'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;group;post'= {
            cand -n 'Post under this nickname: a claim, shown with the peer ID'
            cand --nick 'Post under this nickname: a claim, shown with the peer ID'
            cand --posting-password-file 'Read the posting password from FILE; - is standard input'
            cand --posting-password-fd 'Read the posting password from file descriptor N'
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand -k 'Use the identity in FILE [env: P2PT_KEY]'
            cand --key 'Use the identity in FILE [env: P2PT_KEY]'
            cand -0 'Posts on standard input end with a NUL instead of a newline'
            cand --nul 'Posts on standard input end with a NUL instead of a newline'
            cand --raw 'All of standard input is one post'
            cand --alone 'Join for this call alone, even if p2pt group join runs here for the same group'
            cand --anonymous 'Sign with a fresh key instead of the user''s identity'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;group;help'= {
            cand new 'make a groupspec'
            cand show 'decode a groupspec'
            cand join 'be a member: print others'' posts, post what is typed'
            cand members 'list the members that are known here'
            cand info 'the group as it is seen from here: size, neighbours, rates'
            cand post 'post to a group, and leave when members have it'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;group;help;new'= {
        }
        &'p2pt;group;help;show'= {
        }
        &'p2pt;group;help;join'= {
        }
        &'p2pt;group;help;members'= {
        }
        &'p2pt;group;help;info'= {
        }
        &'p2pt;group;help;post'= {
        }
        &'p2pt;group;help;help'= {
        }
        &'p2pt;post'= {
            cand -n 'Post under this nickname: a claim, shown with the peer ID'
            cand --nick 'Post under this nickname: a claim, shown with the peer ID'
            cand --posting-password-file 'Read the posting password from FILE; - is standard input'
            cand --posting-password-fd 'Read the posting password from file descriptor N'
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand -k 'Use the identity in FILE [env: P2PT_KEY]'
            cand --key 'Use the identity in FILE [env: P2PT_KEY]'
            cand -0 'Posts on standard input end with a NUL instead of a newline'
            cand --nul 'Posts on standard input end with a NUL instead of a newline'
            cand --raw 'All of standard input is one post'
            cand --alone 'Join for this call alone, even if p2pt group join runs here for the same group'
            cand --anonymous 'Sign with a fresh key instead of the user''s identity'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;multicast'= {
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand publish 'publish standard input as a live stream'
            cand play 'play a stream of a group to standard output'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;multicast;publish'= {
            cand --format 'What standard input is [default: auto]'
            cand --latency 'How long after its publication the stream is played [default: 2s]'
            cand --multicast-window-duration 'Gather pieces for this long before they must be played; default the latency'
            cand --multicast-fetch-period 'Ask for what nobody pushed after this long; default an eighth of the latency'
            cand --multicast-availability-update-period 'Tell neighbours this often what is there; default 100ms'
            cand --multicast-push-neighbor-limit 'Push each piece of a stream to N neighbours at most; default 4'
            cand --multicast-relay-margin-duration 'Keep what was played for this long, for others who miss it; default 2s, or the latency if that is longer'
            cand --publish-password-file 'Read the publishing password from FILE'
            cand --publish-password-fd 'Read the publishing password from file descriptor N'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand -k 'Use the identity in FILE [env: P2PT_KEY]'
            cand --key 'Use the identity in FILE [env: P2PT_KEY]'
            cand --ready-fd 'Write one line to file descriptor N when ready'
            cand --ready-file 'Write that line to a file instead, whole or not at all'
            cand --realtime 'Go by the stream''s own clock, if input comes faster than that'
            cand --flash-timing 'Flash''s settings instead of those for a latency'
            cand --multicast-availability-send-to-all 'Tell all neighbours each time, not one after the other'
            cand --anonymous 'Sign with a fresh key instead of the user''s identity'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;multicast;play'= {
            cand --latency 'Play this long after publication; default what the publisher says'
            cand --publisher 'Only the stream of this publisher'
            cand -w 'Give up after this long without a word of the publisher [default: 10s]'
            cand --timeout 'Give up after this long without a word of the publisher [default: 10s]'
            cand --multicast-push-neighbor-limit 'Push each piece of a stream to N neighbours at most; default 4'
            cand --multicast-relay-margin-duration 'Keep what was played for this long, for others who miss it; default 2s, or the latency if that is longer'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand --ready-fd 'Write one line to file descriptor N when ready'
            cand --ready-file 'Write that line to a file instead, whole or not at all'
            cand --keep-open 'After the end wait for the next stream of the name'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;multicast;help'= {
            cand publish 'publish standard input as a live stream'
            cand play 'play a stream of a group to standard output'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;multicast;help;publish'= {
        }
        &'p2pt;multicast;help;play'= {
        }
        &'p2pt;multicast;help;help'= {
        }
        &'p2pt;replicate-file'= {
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand share 'share files and folders, and print the address to fetch them by'
            cand fetch 'fetch files, and share them meanwhile'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;replicate'= {
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand share 'share files and folders, and print the address to fetch them by'
            cand fetch 'fetch files, and share them meanwhile'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;replicate-file;share'= {
            cand --until-copies 'Leave when N others have all of it'
            cand --for 'Leave after this long'
            cand --up 'Send at most this much, as in 10Mbit/s'
            cand --group 'Share in this group instead of a fresh one; its groupspec needs object replication'
            cand --rendezvous 'Meet others through this rendezvous; default $P2PT_RENDEZVOUS, or none: this LAN'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand --ready-fd 'Write one line to file descriptor N when ready'
            cand --ready-file 'Write that line to a file instead, whole or not at all'
            cand --polite 'Leave the line to other traffic, even to members on this machine'
            cand --no-polite 'Take what can be had of the line'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;replicate;share'= {
            cand --until-copies 'Leave when N others have all of it'
            cand --for 'Leave after this long'
            cand --up 'Send at most this much, as in 10Mbit/s'
            cand --group 'Share in this group instead of a fresh one; its groupspec needs object replication'
            cand --rendezvous 'Meet others through this rendezvous; default $P2PT_RENDEZVOUS, or none: this LAN'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand --ready-fd 'Write one line to file descriptor N when ready'
            cand --ready-file 'Write that line to a file instead, whole or not at all'
            cand --polite 'Leave the line to other traffic, even to members on this machine'
            cand --no-polite 'Take what can be had of the line'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;replicate-file;fetch'= {
            cand -o 'Where to put it: a new file or, for a list, a folder; - is standard output'
            cand --output 'Where to put it: a new file or, for a list, a folder; - is standard output'
            cand --up 'Send at most this much, as in 10Mbit/s'
            cand --down 'Receive at most this much, as in 10Mbit/s'
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand --force 'Overwrite what is there'
            cand -y 'Do not ask before a list of files is fetched'
            cand --yes 'Do not ask before a list of files is fetched'
            cand --stay 'Go on sharing when all is there, until a signal'
            cand --polite 'Leave the line to other traffic, even to members on this machine'
            cand --no-polite 'Take what can be had of the line'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;replicate;fetch'= {
            cand -o 'Where to put it: a new file or, for a list, a folder; - is standard output'
            cand --output 'Where to put it: a new file or, for a list, a folder; - is standard output'
            cand --up 'Send at most this much, as in 10Mbit/s'
            cand --down 'Receive at most this much, as in 10Mbit/s'
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand --force 'Overwrite what is there'
            cand -y 'Do not ask before a list of files is fetched'
            cand --yes 'Do not ask before a list of files is fetched'
            cand --stay 'Go on sharing when all is there, until a signal'
            cand --polite 'Leave the line to other traffic, even to members on this machine'
            cand --no-polite 'Take what can be had of the line'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;replicate-file;help'= {
            cand share 'share files and folders, and print the address to fetch them by'
            cand fetch 'fetch files, and share them meanwhile'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;replicate-file;help;share'= {
        }
        &'p2pt;replicate-file;help;fetch'= {
        }
        &'p2pt;replicate-file;help;help'= {
        }
        &'p2pt;replicate;help'= {
            cand share 'share files and folders, and print the address to fetch them by'
            cand fetch 'fetch files, and share them meanwhile'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;replicate;help;share'= {
        }
        &'p2pt;replicate;help;fetch'= {
        }
        &'p2pt;replicate;help;help'= {
        }
        &'p2pt;route'= {
            cand --to-nearest 'Send to the member nearest to this place: PEER-ID, @ADDRESS or a key'
            cand --receive-mode 'With --listen: take messages for one''s own address only, or for all that one is nearest to [default: nearest]'
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand -k 'Use the identity in FILE [env: P2PT_KEY]'
            cand --key 'Use the identity in FILE [env: P2PT_KEY]'
            cand --ready-fd 'Write one line to file descriptor N when ready'
            cand --ready-file 'Write that line to a file instead, whole or not at all'
            cand --to-next 'Send to the next member in increasing direction'
            cand --to-previous 'Send to the next member in decreasing direction'
            cand --to-neighbors 'Send to every neighbour'
            cand -l 'Print what arrives here, a line each'
            cand --listen 'Print what arrives here, a line each'
            cand --ack 'Wait until the receiver says that it has the message'
            cand -0 'Messages end with a NUL instead of a newline, in and out'
            cand --nul 'Messages end with a NUL instead of a newline, in and out'
            cand --alone 'Join for this call alone, even if p2pt group join runs here for the same group'
            cand --anonymous 'Sign with a fresh key instead of the user''s identity'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;store'= {
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand put 'store a value under a key'
            cand get 'get a value by its key'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;store;put'= {
            cand --expires 'How long it is kept, at most 30 days [default: 1d]'
            cand --posting-password-file 'Read the posting password from FILE; - is standard input'
            cand --posting-password-fd 'Read the posting password from file descriptor N'
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand -k 'Use the identity in FILE [env: P2PT_KEY]'
            cand --key 'Use the identity in FILE [env: P2PT_KEY]'
            cand --content 'Store under the value''s own SHA-256, without author'
            cand --remove 'Take one''s own value back'
            cand --alone 'Join for this call alone, even if p2pt group join runs here for the same group'
            cand --anonymous 'Sign with a fresh key instead of the user''s identity'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;store;get'= {
            cand --from 'Only what this author put'
            cand -w 'Give up after this long [default: 30s]'
            cand --timeout 'Give up after this long [default: 30s]'
            cand --bind 'Use this UDP address of ours [default: [::]:0]'
            cand --content 'KEY is the SHA-256 of a value, in hex'
            cand --alone 'Join for this call alone, even if p2pt group join runs here for the same group'
            cand --flash 'Speak to RTMFP peers that are not p2pt, too'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;store;help'= {
            cand put 'store a value under a key'
            cand get 'get a value by its key'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;store;help;put'= {
        }
        &'p2pt;store;help;get'= {
        }
        &'p2pt;store;help;help'= {
        }
        &'p2pt;demo'= {
            cand --size 'How much to pipe [default: 64MiB]'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;simulate'= {
            cand --members 'How many members'
            cand --seed 'From which all chance comes'
            cand --for 'How long things are done, after all have joined'
            cand --engine 'Carry messages (swarm) or packets (world)'
            cand --set 'Change any setting; may be repeated'
            cand --plot 'Draw it into FILE, as SVG'
            cand --list 'List the scenarios, or the settings of SCENARIO, and run nothing'
            cand -j 'Write events as JSON Lines'
            cand --json 'Write events as JSON Lines'
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;completions'= {
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;man'= {
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;links'= {
            cand -v 'Say more on standard error; -vv and -vvv say still more'
            cand --verbose 'Say more on standard error; -vv and -vvv say still more'
            cand -q 'Say nothing on standard error but errors'
            cand --quiet 'Say nothing on standard error but errors'
            cand --no-progress 'Show no progress bars'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'p2pt;help'= {
            cand peer-id 'print this user''s peer ID, making an identity on first use'
            cand rendezvous 'run the rendezvous service that introduces peers'
            cand check 'say what stands between here and there'
            cand connect 'a pipe between two peers, through NATs, encrypted'
            cand group 'groups: make, join, watch and post to them'
            cand post 'post to a group, and leave when members have it'
            cand multicast 'live streams to many, each of whom passes them on'
            cand replicate-file 'give files to many at once, each of whom gives them on'
            cand route 'send messages along the ring of a group'
            cand store 'a group''s distributed storage: values by key'
            cand demo 'a rendezvous and peers on this machine, one command, real sockets'
            cand simulate 'let a group of thousands live in one process, and say how it fares'
            cand completions 'print the completions for a shell'
            cand man 'write the man pages into a folder'
            cand links 'make links such as p2pt-connect, which is p2pt connect'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'p2pt;help;peer-id'= {
        }
        &'p2pt;help;rendezvous'= {
        }
        &'p2pt;help;check'= {
        }
        &'p2pt;help;connect'= {
        }
        &'p2pt;help;group'= {
            cand new 'make a groupspec'
            cand show 'decode a groupspec'
            cand join 'be a member: print others'' posts, post what is typed'
            cand members 'list the members that are known here'
            cand info 'the group as it is seen from here: size, neighbours, rates'
            cand post 'post to a group, and leave when members have it'
        }
        &'p2pt;help;group;new'= {
        }
        &'p2pt;help;group;show'= {
        }
        &'p2pt;help;group;join'= {
        }
        &'p2pt;help;group;members'= {
        }
        &'p2pt;help;group;info'= {
        }
        &'p2pt;help;group;post'= {
        }
        &'p2pt;help;post'= {
        }
        &'p2pt;help;multicast'= {
            cand publish 'publish standard input as a live stream'
            cand play 'play a stream of a group to standard output'
        }
        &'p2pt;help;multicast;publish'= {
        }
        &'p2pt;help;multicast;play'= {
        }
        &'p2pt;help;replicate-file'= {
            cand share 'share files and folders, and print the address to fetch them by'
            cand fetch 'fetch files, and share them meanwhile'
        }
        &'p2pt;help;replicate-file;share'= {
        }
        &'p2pt;help;replicate-file;fetch'= {
        }
        &'p2pt;help;route'= {
        }
        &'p2pt;help;store'= {
            cand put 'store a value under a key'
            cand get 'get a value by its key'
        }
        &'p2pt;help;store;put'= {
        }
        &'p2pt;help;store;get'= {
        }
        &'p2pt;help;demo'= {
        }
        &'p2pt;help;simulate'= {
        }
        &'p2pt;help;completions'= {
        }
        &'p2pt;help;man'= {
        }
        &'p2pt;help;links'= {
        }
        &'p2pt;help;help'= {
        }
    ]
    $completions[$command]
}
